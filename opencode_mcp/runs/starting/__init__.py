"""Start of something in a session: whose turn it is, the note on the prompt, and the sending of it."""
