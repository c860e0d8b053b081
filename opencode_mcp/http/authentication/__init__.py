"""Authentication over HTTP: whose a request is, and what its token permits."""
