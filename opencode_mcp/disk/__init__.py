"""Access to the local disk: paths that stay inside a folder, locks, and the state folder."""
