"""The record in MongoDB (Motor): one module per collection, the indexes, and the translation of database errors."""
