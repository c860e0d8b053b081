"""``python -m opencode_mcp`` is the ``opencode-mcp`` command."""

from opencode_mcp.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
