"""What every store must do: the in-memory twin and MongoDB pass the same tests."""
