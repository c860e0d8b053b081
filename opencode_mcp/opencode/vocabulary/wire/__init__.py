"""Objects of OpenCode's JSON that the bridge reads, as data classes."""
