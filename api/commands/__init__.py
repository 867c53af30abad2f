"""The command handlers that REST, sockets and texts share."""
