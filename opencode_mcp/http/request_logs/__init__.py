"""Names and outcomes of requests over HTTP, and the logs of them."""
