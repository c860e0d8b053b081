"""The conformance suite of the Model Context Protocol, held against our extension and our server."""
