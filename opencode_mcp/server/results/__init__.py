"""Results and errors as text and structured content, limited in size."""
