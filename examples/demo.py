"""Demo of the main job: a host delegates a task to OpenCode, watches it, answers it, and gets the result.

Everything is real except the model: an MCP client starts the bridge as any host does, the bridge starts OpenCode, and
OpenCode edits a small project. ``make demo`` runs it with a scripted model, which needs no key and no network;
``make demo MODEL=provider/model`` runs it with a model of your own OpenCode. ``make demo OPENCODE=2`` runs it with the
scripted model and the OpenCode 2 of the tests.
"""

import argparse
import importlib.util
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from opencode_mcp.opencode.versions import Generation

OPENCODE_2 = 2
# The demo uses the harness of the tests.
sys.path.append(str(Path(__file__).resolve().parents[1]))


def main() -> int:
    """Run the demo, or print what is missing."""
    parser = argparse.ArgumentParser(prog="demo", description="Watch a host delegate a task to OpenCode.")
    parser.add_argument("--model", default="", help="provider/model of your own OpenCode; default: a scripted model")
    parser.add_argument("--opencode", type=int, choices=[1, 2], default=1, help="generation for the scripted model")
    chosen = parser.parse_args()
    model: str = chosen.model
    generation: Generation = chosen.opencode
    if model and generation == OPENCODE_2:
        parser.error("--opencode is for the scripted model; --model uses your own OpenCode, of either generation")
    lacking = list(missing(generation))
    if lacking:
        print("\n".join(lacking), file=sys.stderr)
        return 1
    from story import play

    return play(model, generation)


def missing(generation: "Generation") -> Iterator[str]:
    """Yield one line for each requirement of the demo that this machine lacks."""
    from scripts.opencode_binary import installed

    if shutil.which("git") is None:
        yield "demo: git is missing: OpenCode needs it to find changed files; get it from git-scm.com."
    if importlib.util.find_spec("mcp") is None:
        yield "demo: the project is not installed for this Python: run `make demo`, which does that first."
    if generation == OPENCODE_2:
        yield from _missing_preview()
    if installed() is None:
        npm = "" if shutil.which("npm") else "get Node.js with npm from nodejs.org, then "
        yield f"demo: OpenCode is not installed for this project: {npm}run `make demo`, which does that first."


def _missing_preview() -> Iterator[str]:
    """Yield a line if the preview of OpenCode 2 is not there."""
    from scripts import opencode_preview

    if opencode_preview.package() is None:
        yield "demo: there is no preview of OpenCode 2 for this machine: npm has it for Linux on x64 processors only."
    elif opencode_preview.installed() is None:
        yield "demo: the preview of OpenCode 2 is not installed for this project: run `make setup`."


if __name__ == "__main__":
    sys.exit(main())
