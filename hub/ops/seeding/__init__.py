"""The seed: an example clinic with users and past and future appointments, decided by the hub's own rules."""
