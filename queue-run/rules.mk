QUEUE_RUN := addresses mailing schedule waiting_lines due retry route destination_limits transports results context_routes rules_stage rule_calls rules_socket replacer deliveries_rules delegation deliveries_delegation deliveries_end wishes turns diagnosis notice_text notice notices notifier progress_writer recorder spool_keeper broker_keeper broker_runner deliveries catalog_keeper folders runner metrics runner_requests requests requests_many

BINARIES += $(BIN)/queue-run
$(BIN)/queue-run: $(call objects,queue-run,main configuration $(QUEUE_RUN)) $(BUILD)/lib.a
	@mkdir -p $(@D)
	$(LINK) $(LIBS) $(BROKER_LIBS) -lmbedcrypto -luv_a -lpthread -ldl

TESTED += $(call objects,queue-run,addresses mailing schedule waiting_lines due retry route destination_limits transports results context_routes rules_stage delegation wishes turns diagnosis notice_text notice notices catalog_keeper progress_writer replacer notifier recorder spool_keeper)
