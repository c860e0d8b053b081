"""The recipes for batches in docs/delegation.md, with their calls as they are."""

import ast
import re
from pathlib import Path
from typing import Any

import pytest

from tests.harness.processes.isolation import ROOT
from tests.integration.host import Host
from tests.scripted_model.script import script, text, write

pytestmark = [pytest.mark.anyio, pytest.mark.integration, pytest.mark.both_generations]
Json = dict[str, Any]
GUIDE = ROOT / "docs" / "delegation.md"
CALL = re.compile(r"`(opencode_\w+\([^`]*\))`")
WORDS = {"true": True, "false": False}


def calls_of(recipe: str) -> list[tuple[str, Json]]:
    """The calls in the section of a recipe, each with its tool and its arguments; `...` means more of the same."""
    section = GUIDE.read_text(encoding="utf-8").split(f"### {recipe}\n")[1].split("\n### ")[0]
    return [read_call(found) for found in CALL.findall(section)]


def read_call(written: str) -> tuple[str, Json]:
    call = ast.parse(written, mode="eval").body
    assert isinstance(call, ast.Call)
    assert isinstance(call.func, ast.Name)
    return call.func.id, {keyword.arg or "": value_of(keyword.value) for keyword in call.keywords}


def value_of(node: ast.expr) -> Any:  # noqa: ANN401 - JSON of any shape
    match node:
        case ast.List(elts=items):
            return [value_of(item) for item in items if not is_more(item)]
        case ast.Dict(keys=names, values=values):
            return {value_of(name): value_of(value) for name, value in zip(names, values, strict=True) if name}
        case ast.Name(id=name):
            return WORDS[name]
        case _:
            return ast.literal_eval(node)


def is_more(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is ...


@pytest.mark.usefixtures("without_latest_sessions")
async def test_the_best_of_three_models_is_brought_back(host: Host, tracked: Path, case: str) -> None:
    best = tracked / f"best-{case}.txt"
    run, compare, bring = calls_of("The best of three models")
    prompt = script(write(best.name, "best\n"), text("Written."), say=run[1]["prompt"])
    models = ["scripted/m1", "scripted/m2", "scripted/m1"]
    assert len(run[1]["models"]) == len(models)
    here = {"directory": str(tracked)}
    table = await host.data(run[0], prompt=prompt, models=models, common=here, wait_seconds=100)
    ended = [(task["status"], task["files"], task["file_names"]) for task in table["tasks"]]
    assert ended == [("completed", 1, [best.name])] * 3
    assert not best.exists()
    first, second, third = (task["session_id"] for task in table["tasks"])
    assert f'opencode_diff(session_id="{first}", compare_with="{second}")' in table["next"]
    assert "opencode_integrate with the session id of the best one brings that back" in table["next"]
    alone = await host.data("opencode_wait", session_id=f"{table['batch_id']}.1", wait_seconds=0)
    together = await host.data("opencode_wait", session_ids=[first, second], wait_seconds=0)
    stopped = await host.data("opencode_abort", session_id=first)
    for report in (alone, together["runs"][0], stopped):
        assert "a git worktree" in report["note"], report
        assert "opencode_revert" not in report.get("next", "")
    assert f'opencode_integrate(session_id="{first}", how="apply")' in alone["next"]
    named = {"ses_A": first, "ses_B": second}
    compared = await host.text(compare[0], **{name: named[value] for name, value in compare[1].items()})
    assert best.name in compared
    await host.data(bring[0], **{name: named.get(value, value) for name, value in bring[1].items()})
    assert best.read_text(encoding="utf-8") == "best\n"
    best.unlink()
    for session_id in (first, second, third):
        await host.data("opencode_integrate", session_id=session_id, how="discard")


async def test_a_batch_overnight_is_integrated_one_after_the_other_with_conflicts_shown(
    host: Host, tracked: Path, case: str
) -> None:
    same = tracked / f"same-{case}.txt"
    run, look = calls_of("A batch overnight")
    tasks = [{"prompt": script(write(same.name, f"{task['prompt']}\n"), text("Done."))} for task in run[1]["tasks"]]
    common = run[1]["common"] | {"directory": str(tracked)}
    begun = await host.data(run[0], **run[1] | {"tasks": tasks, "common": common})
    await host.data("opencode_wait", session_id=begun["batch_id"], wait_seconds=100)
    status = await host.data("opencode_status", directory=str(tracked))
    assert begun["batch_id"] not in status.get("batches", {})
    table = await host.data(look[0], **look[1] | {"session_id": begun["batch_id"]})
    assert [task["status"] for task in table["tasks"]] == ["completed"] * len(tasks)
    first, second = (task["session_id"] for task in table["tasks"])
    await host.data("opencode_integrate", session_id=first, how="apply")
    refused = await host.data("opencode_integrate", session_id=second, how="apply")
    assert same.name in str(refused["conflicts"])
    assert same.read_text(encoding="utf-8") == f"{run[1]['tasks'][0]['prompt']}\n"
    same.unlink()
    for session_id in (first, second):
        await host.data("opencode_integrate", session_id=session_id, how="discard")
