"""Messages, sessions, requests, prompts and events in the words of the bridge: input and output of an adapter."""
