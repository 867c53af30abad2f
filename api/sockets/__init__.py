"""The Socket.IO side of the api: admission, commands with their acks, and the events that clients are sent."""
