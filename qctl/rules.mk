QCTL := ages broker change check commands context display entry estimate examination export forward hand history import line list look mbox output portable quarantine quarantine_facts reasons repair run_status selection shield show status why
TESTED += $(call objects,qctl,$(QCTL))
BINARIES += $(BIN)/qctl
$(BIN)/qctl: $(call objects,qctl,main $(QCTL)) $(BUILD)/lib.a
	@mkdir -p $(@D)
	$(LINK) $(LIBS) $(BROKER_LIBS) -luv_a -lpthread -ldl
