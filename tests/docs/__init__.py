"""The pages of examples: what they say is run."""
