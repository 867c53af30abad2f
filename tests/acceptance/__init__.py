"""What users see: through real processes, the Twilio stub and a fast clock."""
