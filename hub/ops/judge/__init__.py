"""The judge: compares what clients asked, were answered and were told with the record, and names broken promises."""
