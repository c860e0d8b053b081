"""Entry point of ``python -m opencode_mcp``."""

from opencode_mcp.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
