"""Cases of the operations, by subject: arguments, and the effect of each call."""
