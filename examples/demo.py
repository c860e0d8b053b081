"""Demo of the main job: a host delegates a task to OpenCode, watches it, answers it, and gets the result.

Everything is real except the model: an MCP client starts the bridge as any host does, the bridge starts OpenCode, and
OpenCode edits a small project. ``make demo`` runs it with a scripted model, which needs no key and no network;
``make demo MODEL=provider/model`` runs it with a model of your own OpenCode.
"""

import argparse
import importlib.util
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

# The demo uses the harness of the tests.
sys.path.append(str(Path(__file__).resolve().parents[1]))


def main() -> int:
    """Run the demo, or print what is missing."""
    parser = argparse.ArgumentParser(prog="demo", description="Watch a host delegate a task to OpenCode.")
    parser.add_argument("--model", default="", help="provider/model of your own OpenCode; default: a scripted model")
    model: str = parser.parse_args().model
    lacking = list(missing())
    if lacking:
        print("\n".join(lacking), file=sys.stderr)
        return 1
    from story import play

    return play(model)


def missing() -> Iterator[str]:
    """Yield one line for each requirement of the demo that this machine lacks."""
    from scripts.opencode_binary import installed

    if shutil.which("git") is None:
        yield "demo: git is missing: OpenCode needs it to find changed files; get it from git-scm.com."
    if importlib.util.find_spec("mcp") is None:
        yield "demo: the project is not installed for this Python: run `make demo`, which does that first."
    if installed() is None:
        npm = "" if shutil.which("npm") else "get Node.js with npm from nodejs.org, then "
        yield f"demo: OpenCode is not installed for this project: {npm}run `make demo`, which does that first."


if __name__ == "__main__":
    sys.exit(main())
