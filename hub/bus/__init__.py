"""Kafka: topics, messages, requests (a command and its reply) and the feed (notices in order)."""
