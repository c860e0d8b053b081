"""Questions and permission requests: who answers them, by which way, and what a refusal says."""
