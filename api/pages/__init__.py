"""The pages for people: what a browser gets, and how it is served."""
