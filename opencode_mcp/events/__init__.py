"""Layer 2: one event stream in, many listeners out."""
