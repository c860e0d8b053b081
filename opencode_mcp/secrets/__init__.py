"""What a secret looks like, and how it is replaced in text and data. Pure."""
