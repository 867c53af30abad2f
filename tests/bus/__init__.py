"""The bus in one process over fakes, and against the embedded broker."""
