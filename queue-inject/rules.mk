BINARIES += $(BIN)/queue-inject
$(BIN)/queue-inject: $(call objects,queue-inject,main intake exit_codes file_store broker_store replace bring_back by_hand submission resident) $(BUILD)/lib.a
	@mkdir -p $(@D)
	$(LINK) $(LIBS) $(BROKER_LIBS) -luv_a -lpthread -ldl
TESTED += $(call objects,queue-inject,intake exit_codes file_store submission)
