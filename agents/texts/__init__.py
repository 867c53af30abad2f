"""Texts: planned from events, sent through Twilio, their delivery asked about."""
