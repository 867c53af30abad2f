"""MongoDB through Motor: one module a collection, the indexes, and the one place where a store error becomes ours."""
