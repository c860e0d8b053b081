"""Access rules for what runs code: shell lines, commands, verifications, files that decide what OpenCode runs."""
