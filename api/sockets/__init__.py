"""The Socket.IO side of the api: who is let in, what they may ask, and how they are told."""
