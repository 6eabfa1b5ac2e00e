# address-map: compiled maps are constant databases, written and read by libcdb.
BINARIES += $(BIN)/address-map
$(BIN)/address-map: $(call objects,address-map,main calls expansion maps entries) $(BUILD)/lib.a
	@mkdir -p $(@D)
	$(LINK) $(LIBS) -lcdb -luv_a -lpthread -ldl

TESTED += $(call objects,address-map,calls expansion maps entries)
