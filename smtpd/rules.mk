# tcplaunch, a program of its own in this folder
BINARIES += $(BIN)/tcplaunch
$(BIN)/tcplaunch: $(call objects,smtpd,tcplaunch launcher client_limits) $(BUILD)/lib.a
	@mkdir -p $(@D)
	$(LINK) $(LIBS) -luv_a -lpthread -ldl
TESTED += $(call objects,smtpd,client_limits)
