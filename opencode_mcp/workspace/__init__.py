"""A project's files: reading and searching them."""
