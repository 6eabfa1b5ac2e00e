# mta-sts: policies of other domains. libcurl cannot be linked statically (Debian has no static Kerberos), so this program is not; it runs once.
BINARIES += $(BIN)/mta-sts
$(BIN)/mta-sts: LINKING =
$(BIN)/mta-sts: $(call objects,mta-sts,main answers fetch finder store) $(BUILD)/lib.a
	@mkdir -p $(@D)
	$(LINK) $(LIBS) $(DNS_LIBS) $(IDN_LIBS) -lcurl -luv_a -lpthread -ldl

TESTED += $(call objects,mta-sts,answers finder store)
