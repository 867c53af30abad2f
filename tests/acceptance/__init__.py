"""What the people of a clinic get to see: through real processes, the stand-in for Twilio and a fast clock."""
