QCTL := ages broker change check commands context counts display dkim_key entry estimate examination export forward forward_many hand history import line list log_line look mail_history mbox metrics output page plot portable quarantine quarantine_facts reasons repair report run_status selection shield show snapshot status top top_view vqueue why
TESTED += $(call objects,qctl,$(QCTL))
BINARIES += $(BIN)/qctl
$(BIN)/qctl: $(call objects,qctl,main $(QCTL)) $(BUILD)/lib.a
	@mkdir -p $(@D)
	$(LINK) $(LIBS) $(BROKER_LIBS) -lmbedcrypto -lsodium $(IDN_LIBS) -luv_a -lpthread -ldl
