"""Text of others made safe to show, similar names, and JSON. Pure."""
