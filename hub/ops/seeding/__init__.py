"""The seed: a clinic with people, a past and a future, made through the rules."""
