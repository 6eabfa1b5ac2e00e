$(BIN)/mime-check: $(call objects,mime-check,main options files check lines header fields parts findings report filter) $(BUILD)/lib.a
	@mkdir -p $(@D)
	$(LINK) $(LIBS) -luv_a -lpthread -ldl
BINARIES += $(BIN)/mime-check
# Tried by unit tests and the fuzzer without main() and files.
TESTED += $(call objects,mime-check,options check lines header fields parts findings report filter)
