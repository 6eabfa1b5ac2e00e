# deliver-maildir: files of its own for names, stored form and syncs; calls and the loop from lib.
BINARIES += $(BIN)/deliver-maildir
$(BIN)/deliver-maildir: $(call objects,deliver-maildir,main resident calls deliverer sync maildir mbox mailbox_name unique_name refusal) $(BUILD)/lib.a
	@mkdir -p $(@D)
	$(LINK) $(LIBS) -luv_a -lpthread -ldl

TESTED += $(call objects,deliver-maildir,refusal mailbox_name unique_name maildir mbox sync deliverer calls)
