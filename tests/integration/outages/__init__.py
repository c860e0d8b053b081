"""OpenCode or the connection fails, is slow, is older or newer; several bridges share one OpenCode."""
