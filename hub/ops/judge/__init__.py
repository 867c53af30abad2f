"""The judge: compares what clients sent and received with the record, and reports broken promises."""
