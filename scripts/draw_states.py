"""Draw the states of a run in ARCHITECTURE.md from their table. A test checks that the drawing is current.

From the repository: ``python -m scripts.draw_states``.
"""

from collections.abc import Iterator
from pathlib import Path

from opencode_mcp.runs.state import ENDS, TRANSITIONS, State
from scripts.blocks import replace_block

PAGE = Path(__file__).parents[1] / "ARCHITECTURE.md"
BLOCK = "states"
LIVE = [state for state in State if state not in ENDS]
Arrow = tuple[str, str, str]
"""Source, target, and the signal of the transition."""


def diagram() -> str:
    """Return the table as a Mermaid diagram; transitions that all live states share are drawn once."""
    common = {way for way in _ends_of(LIVE[0]) if all(way in _ends_of(state) for state in LIVE)}
    within = [arrow for state in LIVE for arrow in _arrows(state) if arrow[1:] not in common and arrow[0] != arrow[1]]
    lines = [
        f"[*] --> {State.SUBMITTED}",
        "state live {",
        *(f"    {line}" for line in _drawn(within)),
        "}",
        *_drawn([("live", target, signal) for target, signal in sorted(common)]),
        *(f"{end} --> [*]" for end in State if end in ENDS),
    ]
    return "\n".join(["```mermaid", "stateDiagram-v2", *(f"    {line}" for line in lines), "```"])


def _arrows(state: State) -> Iterator[Arrow]:
    return ((state.value, target.value, signal.value) for signal, target in TRANSITIONS[state].items())


def _ends_of(state: State) -> set[tuple[str, str]]:
    return {(target, signal) for _, target, signal in _arrows(state) if target in ENDS}


def _drawn(arrows: list[Arrow]) -> Iterator[str]:
    return (f"{source} --> {target}: {signal}" for source, target, signal in arrows)


def page(text: str) -> str:
    """Return the page with a new diagram."""
    return replace_block(text, BLOCK, diagram())


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8", newline="\n")
    print(f"{PAGE.name} is written.")
