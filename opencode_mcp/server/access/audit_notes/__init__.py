"""Facts that only the code of a call knows, for its line in the audit log, which ``http/request_logs/`` writes."""
