"""The tools, grouped by what the agent wants to do."""
