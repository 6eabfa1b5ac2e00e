$(BIN)/mime-check: $(call objects,mime-check,main options files report filter) $(BUILD)/lib.a
	@mkdir -p $(@D)
	$(LINK) $(LIBS) -luv_a -lpthread -ldl
BINARIES += $(BIN)/mime-check
# Tried by unit tests and the fuzzer without main() and files.
TESTED += $(call objects,mime-check,options report filter)
