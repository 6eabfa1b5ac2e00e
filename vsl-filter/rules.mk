BINARIES += $(BIN)/vsl-filter
$(BIN)/vsl-filter: $(call objects,vsl-filter,main) $(BUILD)/vsl.a $(BUILD)/lib.a
	@mkdir -p $(@D)
	$(LINK) $(LIBS) $(UNIT_LIBS)
