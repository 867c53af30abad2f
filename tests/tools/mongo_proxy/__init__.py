"""A proxy between the driver and the database that does what a test wants to see: delays, lost answers, elections."""
