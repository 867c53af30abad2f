"""The Python client of the hub, over REST and Socket.IO."""
