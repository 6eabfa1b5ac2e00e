# deliver-remote: where mail goes and what became of it; the session is lib/smtp's, the waiting lib/net's. It asks DNS.
DELIVER_REMOTE := target own_places host_memory letter route dane_search route_search outcome options way profile tls_needs sts tls_journal tls_service connection pool delivery deliverer calls confinement
BINARIES += $(BIN)/deliver-remote
$(BIN)/deliver-remote: $(call objects,deliver-remote,main $(DELIVER_REMOTE)) $(BUILD)/lib.a
	@mkdir -p $(@D)
	$(LINK) $(LIBS) $(TLS_LIBS) $(SASL_LIBS) $(DNS_LIBS) $(IDN_LIBS) -luv_a -lpthread -ldl

TESTED += $(call objects,deliver-remote,$(DELIVER_REMOTE))
