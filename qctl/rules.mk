QCTL := ages change check commands context display entry hand line list look output selection shield show status
TESTED += $(call objects,qctl,$(QCTL))
BINARIES += $(BIN)/qctl
$(BIN)/qctl: $(call objects,qctl,main $(QCTL)) $(BUILD)/lib.a
	@mkdir -p $(@D)
	$(LINK) $(LIBS) -luv_a -lpthread -ldl
