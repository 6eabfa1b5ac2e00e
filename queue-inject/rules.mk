BINARIES += $(BIN)/queue-inject
$(BIN)/queue-inject: $(call objects,queue-inject,main intake line_ends exit_codes file_store by_hand submission resident) $(BUILD)/lib.a
	@mkdir -p $(@D)
	$(LINK) $(LIBS) -luv_a -lpthread -ldl
TESTED += $(call objects,queue-inject,intake line_ends exit_codes file_store submission)
