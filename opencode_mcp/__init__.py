"""Drive a real OpenCode server from any MCP host.

Four packages, four layers, imports one way: ``server`` (speaks MCP) -> ``runs`` (the life of a prompt) ->
``events`` (one stream in, many listeners out) -> ``opencode`` (speaks OpenCode's HTTP).
"""

__version__ = "0.1.0"
