"""Identity, groups and connections of local processes."""
