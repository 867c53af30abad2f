"""Programs for people who work on the hub: the bench and the nemesis."""
