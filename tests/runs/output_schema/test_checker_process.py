"""No schema blocks the bridge: it is applied in a process of its own, which is ended in time."""

from pathlib import Path
from typing import Any

import anyio
import pytest

from opencode_mcp.errors import InvalidArgument
from opencode_mcp.runs.output_schema import checker_process as schema_check
from opencode_mcp.runs.output_schema.checker_process import check_schema_apart, mismatch_apart

pytestmark = pytest.mark.anyio

SECONDS = 60


def an_object(**properties: object) -> dict[str, Any]:
    return {"type": "object", "properties": properties}


TREE = an_object(name={"type": "string"}, inner={"type": "array", "items": {"$ref": "#"}})


@pytest.fixture(autouse=True)
async def limit() -> Any:  # noqa: ANN401 - a generator of nothing
    with anyio.fail_after(SECONDS):
        yield


async def test_a_pattern_that_never_ends_is_given_up_while_the_bridge_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schema_check, "CHECK_SECONDS", 2.0)
    schema = an_object(a={"type": "string", "pattern": "^(a+)+$"})
    mismatches: list[str] = []

    async def check() -> None:
        mismatches.append(await mismatch_apart(schema, {"a": "a" * 5000 + "b"}))

    moments = 0
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(check)
        while not mismatches:
            await anyio.sleep(0.01)
            moments += 1
    assert moments > 20
    assert "took more than 2 s" in mismatches[0]
    assert "does not fit" not in mismatches[0]


@pytest.mark.parametrize(
    ("schema", "said"),
    [
        ({"type": "object", "$ref": "#"}, "without end"),
        (an_object(a={"$dynamicRef": "http://127.0.0.1:1/schema"}), "$defs"),
        (an_object(a={"$ref": "file:///etc/passwd"}), "$defs"),
        ({"type": "array"}, "must describe an object"),
        (an_object(a={"pattern": "("}), "is not"),
        (an_object(**{"x" * 100_000: 5}), "is not a JSON Schema"),
    ],
)
async def test_a_schema_that_cannot_be_used_is_refused_in_few_words(schema: dict[str, Any], said: str) -> None:
    with pytest.raises(InvalidArgument, match=said.replace("$", r"\$")) as refused:
        await check_schema_apart(schema)
    assert len(str(refused.value)) < 2000


async def test_a_deep_schema_and_a_deep_answer_are_checked_or_refused_and_never_a_crash() -> None:
    deep: dict[str, Any] = {"type": "string"}
    answer: Any = "x"
    for _ in range(3000):
        deep, answer = {"type": "array", "items": deep}, [answer]
    with pytest.raises(InvalidArgument):
        await check_schema_apart(an_object(a=deep))
    assert "check of output_schema" in await mismatch_apart(an_object(a=deep), {"a": answer})


async def test_a_schema_that_refers_to_itself_for_its_parts_is_used() -> None:
    await check_schema_apart(TREE)
    answer = {"name": "a", "inner": [{"name": "b", "inner": [{"name": "c"}]}]}
    assert await mismatch_apart(TREE, answer) == ""
    answer["inner"][0]["inner"][0]["name"] = 5  # pyright: ignore[reportArgumentType, reportIndexIssue]
    assert "does not fit output_schema. $.inner[0].inner[0].name" in await mismatch_apart(TREE, answer)


async def test_an_answer_that_loops_in_the_schema_is_reported() -> None:
    mismatch = await mismatch_apart(an_object(a={"$ref": "#/properties/a"}), {"a": 1})
    assert "refers to itself without end" in mismatch
    assert "does not fit" not in mismatch


async def test_a_long_answer_is_quoted_in_part() -> None:
    mismatch = await mismatch_apart(an_object(a={"type": "integer"}), {"a": "x" * 1_000_000})
    assert "does not fit" in mismatch
    assert len(mismatch) < 2000


async def test_a_module_in_the_working_directory_is_not_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("jsonschema.py", "json.py", "opencode_mcp.py"):
        (tmp_path / name).write_text("raise SystemExit(3)", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    await check_schema_apart(TREE)
