"""Access rules for what runs code: shell lines, commands, and files that decide what OpenCode runs."""
