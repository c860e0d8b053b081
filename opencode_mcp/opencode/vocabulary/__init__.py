"""What goes in and out of an adapter: messages, sessions, requests, prompts and events in the words of the bridge."""
