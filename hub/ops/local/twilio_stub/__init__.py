"""A Twilio simulator: it accepts texts from the hub, shows them as phones would, and posts the phones' replies."""
