"""Text messages: which texts an event causes, their wording, their delivery status, and the Twilio client."""
