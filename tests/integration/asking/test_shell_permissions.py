"""OpenCode 2 asks permission for a whole shell line: the operator's rules for bash hold for each command in it."""

from pathlib import Path
from typing import TYPE_CHECKING, cast

import pytest

from tests.harness.bridges.bridge import data_of, open_bridge
from tests.harness.bridges.launch import Launch, attaching
from tests.harness.opencode2.running import OpenCode2
from tests.harness.servers.model import ScriptedModel
from tests.integration.person import Person, filled
from tests.scripted_model.opencode2 import shell
from tests.scripted_model.script import script, text

if TYPE_CHECKING:
    from tests.harness.servers.opencode import OpenCode

pytestmark = [pytest.mark.anyio, pytest.mark.integration]

SETTINGS = """\
permissions = "human"

[permission_rules.bash]
"echo free*" = "allow"
"rm *" = "reject"
"""


@pytest.fixture
def launch(tmp_path: Path, scripted_model: ScriptedModel, opencode2: OpenCode2, shared_project: Path) -> Launch:
    path = tmp_path / "config.toml"
    path.write_text(SETTINGS, encoding="utf-8")
    attached = attaching(tmp_path, scripted_model, cast("OpenCode", opencode2), shared_project)
    return attached.within(OPENCODE_MCP_CONFIG=str(path))


async def test_a_rule_for_bash_decides_about_each_command_of_a_line(launch: Launch, shared_project: Path) -> None:
    kept = shared_project / "kept.txt"
    kept.write_text("kept", encoding="utf-8")
    person = Person()
    lines = ["echo free beer", "echo free && rm kept.txt", "echo free $(rm kept.txt)"]
    async with open_bridge(launch, elicit=person) as host:
        prompt = script(*map(shell, lines), text("Done."))
        report = data_of(await host.call("opencode_run", prompt=prompt, agent="asking"))
    assert (report["status"], report["text"]) == ("completed", "Done.")
    decided = [(item["permission"], item["patterns"], item["reply"]) for item in report["decided"]]
    assert decided == [
        ("shell", [line], reply) for line, reply in zip(lines, ("once", "reject", "reject"), strict=True)
    ]
    assert person.forms == []
    assert kept.exists()
    kept.unlink()


async def test_a_form_says_that_always_is_permanent_and_a_redirection_needs_a_person(launch: Launch) -> None:
    person = Person(filled(decision="once"))
    async with open_bridge(launch, elicit=person) as host:
        prompt = script(shell("echo free > /dev/stdout"), text("Done."))
        report = data_of(await host.call("opencode_run", prompt=prompt, agent="asking"))
    assert (report["status"], report["text"]) == ("completed", "Done.")
    (form,) = person.forms
    assert form.message.startswith("OpenCode asks permission for shell: echo free > /dev/stdout")
    assert "in every session of the project permanently, since OpenCode saves it" in form.message
