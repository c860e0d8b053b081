"""Results and errors as text and data, within a size."""
