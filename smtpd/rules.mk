# smtpd
SMTPD := certificate_name authentication checker conversation_auth conversation_message relay_policy policy_rounds policy_question configuration tls_configuration peer call_text outcome_reply shield dns_lists list_look_up conversation client server one_session listening supervisor
SMTPD += virtual_hosts own_replies offered_extensions header_watch
SMTPD += confinement board handover meters
SMTPD += resources
SMTPD += client_facts
BINARIES += $(BIN)/smtpd
$(BIN)/smtpd: $(call objects,smtpd,main $(SMTPD)) $(BUILD)/lib.a
	@mkdir -p $(@D)
	$(LINK) $(LIBS) $(TLS_LIBS) $(SASL_LIBS) $(DNS_LIBS) $(IDN_LIBS) -luv_a -lpthread -ldl
TESTED += $(call objects,smtpd,$(SMTPD))

# tcplaunch, a program of its own in this folder
BINARIES += $(BIN)/tcplaunch
$(BIN)/tcplaunch: $(call objects,smtpd,tcplaunch launcher) $(BUILD)/lib.a
	@mkdir -p $(@D)
	$(LINK) $(LIBS) -luv_a -lpthread -ldl

# auth-hash makes lines for smtpd's file of passwords
BINARIES += $(BIN)/auth-hash
$(BIN)/auth-hash: $(call objects,smtpd,auth-hash) $(BUILD)/lib.a
	@mkdir -p $(@D)
	$(LINK) $(LIBS) $(SASL_LIBS)
