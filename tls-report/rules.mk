# tls-report: reports of sessions under TLS. Not static for the sake of libcurl, as mta-sts.
BINARIES += $(BIN)/tls-report
$(BIN)/tls-report: LINKING =
$(BIN)/tls-report: $(call objects,tls-report,main report_mail) $(BUILD)/lib.a
	@mkdir -p $(@D)
	$(LINK) $(LIBS) $(DNS_LIBS) $(IDN_LIBS) -lcurl -lz -luv_a -lpthread -ldl
