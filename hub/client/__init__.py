"""The Python client: what somebody signed in asks of the hub, over REST and over Socket.IO."""
