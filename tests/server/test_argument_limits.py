"""No argument is larger than anything can take; a long prompt passes."""

import json
import math
from typing import Any

import pytest

from opencode_mcp.errors import InvalidArgument
from opencode_mcp.server.definition.argument_limits import LONGER, TEXT, check_limits
from tests.harness.each import for_each

DEEP: Any = json.loads("[" * 200 + "]" * 200)


@for_each(
    ("name", "value"),
    [
        ("query", "x" * (TEXT + 1)),
        ("prompt", "x" * (LONGER["prompt"] + 1)),
        ("files", ["x" * 1000] * 101),
        ("files", ["x"] * 60_000),
        ("output_schema", {"x" * 100_001: 1}),
        ("arguments", {"parts": DEEP}),
        ("limit", 10**30),
        ("limit", -(10**30)),
        ("wait_seconds", math.inf),
        ("wait_seconds", math.nan),
        ("arguments", {"limit": [10**400]}),
        ("prompt", "NUL \0"),
        ("files", ["half \ud800"]),
        ("arguments", {"half \udfff": 1}),
        ("x" * 100_000, "y" * 5000),
    ],
)
def test_what_nothing_can_take_is_refused_by_name(name: str, value: object) -> None:
    with pytest.raises(InvalidArgument) as refused:
        check_limits({name: value})
    assert name[:60] in refused.value.message
    assert len(str(refused.value)) < 300


@for_each(
    "arguments",
    [
        {},
        {"prompt": "ä" * 1_900_000},
        {"files": ["x" * 900] * 100},
        {"limit": 2**53 - 1, "wait_seconds": 0.5, "literal": True, "directory": None},
        {"arguments": {"parts": [{"type": "text", "text": "x" * 1_000_000}]}},
        {"title": "\U0001f600"},
    ],
)
def test_what_is_meant_passes(arguments: dict[str, object]) -> None:
    check_limits(arguments)
