BINARIES += $(BIN)/deliver-pipe
$(BIN)/deliver-pipe: $(call objects,deliver-pipe,main call end) $(BUILD)/lib.a
	@mkdir -p $(@D)
	$(LINK) $(LIBS) -luv_a -lpthread -ldl

TESTED += $(call objects,deliver-pipe,call end)
