"""Twilio's part of the world on one machine: it takes texts, shows them as phones would, and sends what they answer."""
