"""Generated blocks in hand-written pages: between two markers, and replaced as a whole."""

import re


def replace_block(page: str, name: str, content: str) -> str:
    """Replace the content between ``<!-- generated: name -->`` and ``<!-- end: name -->``.

    Raises:
        ValueError: The page has no such block, or more than one.
    """
    begin, end = f"<!-- generated: {name} -->", f"<!-- end: {name} -->"
    block = re.compile(f"{re.escape(begin)}.*?{re.escape(end)}", re.DOTALL)
    replaced, count = block.subn(lambda _: f"{begin}\n{content}\n{end}", page)
    if count != 1:
        raise ValueError(f"There are {count} blocks {name!r} in the page.")
    return replaced


def table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    """Return a Markdown table."""
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)
