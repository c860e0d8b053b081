"""Events of OpenCode 2's stream as the events of the bridge."""
