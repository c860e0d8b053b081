"""Recognition of secrets, and their replacement in text and data. Pure."""
