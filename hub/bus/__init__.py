"""Kafka: topics, wire format, requests (command to reply) and the feed (events in order)."""
