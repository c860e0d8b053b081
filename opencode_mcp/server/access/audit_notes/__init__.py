"""Facts about the call that is being served, noted for the audit log."""
