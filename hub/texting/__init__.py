"""What the clinic's texts say, which an event asks for, what comes back, and the way to Twilio."""
