"""Draw the states of a run in ARCHITECTURE.md from their table. A test checks that the drawing is current.

From the repository: ``python -m scripts.draw_states``.
"""

from pathlib import Path

from opencode_mcp.runs.outcome.state import ENDS, TRANSITIONS, State
from scripts.blocks import replace_block

PAGE = Path(__file__).parents[1] / "ARCHITECTURE.md"
BLOCK = "states"
LIVE = [state for state in State if state not in ENDS]
Arrow = tuple[str, str]
"""From and to."""


def diagram() -> str:
    """Draw the table as a Mermaid diagram; a way that leads out of every live state is drawn once."""
    common = frozenset(State).intersection(*(TRANSITIONS[state] & ENDS for state in LIVE))
    lines = [
        f"[*] --> {State.SUBMITTED}",
        "state live {",
        *(f"    {line}" for line in _drawn(_arrows(common))),
        "}",
        *_drawn([("live", end) for end in sorted(common)]),
        *(f"{end} --> [*]" for end in State if end in ENDS),
    ]
    return "\n".join(["```mermaid", "stateDiagram-v2", *(f"    {line}" for line in lines), "```"])


def _arrows(common: frozenset[State]) -> list[Arrow]:
    """List the ways out of each live state, without the common ones and those that lead back to the same state."""
    arrows: list[Arrow] = []
    for state in LIVE:
        others = TRANSITIONS[state] - common - {state}
        arrows += [(state, target) for target in State if target in others]
    return arrows


def _drawn(arrows: list[Arrow]) -> list[str]:
    return [f"{source} --> {target}" for source, target in arrows]


def page(text: str) -> str:
    """Return the page with a new diagram."""
    return replace_block(text, BLOCK, diagram())


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8", newline="\n")
    print(f"{PAGE.name} is written.")
