"""Definition of tools: their data, the schema that hosts are shown, and the limits of their arguments."""
