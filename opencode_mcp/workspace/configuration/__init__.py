"""Files with which a project configures OpenCode: settings, agents, slash commands and their templates."""
