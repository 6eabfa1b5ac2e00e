QCTL := ages display output selection
TESTED += $(call objects,qctl,$(QCTL))
