"""The contract of the record: the in-memory implementation and MongoDB pass the same tests."""
