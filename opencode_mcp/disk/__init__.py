"""Access to the local disk: paths confined to a folder, locks, and the state folder."""
