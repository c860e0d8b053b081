"""Each required operation, through MCP over stdio, on a real OpenCode: a good call with its effect, and a bad one."""

import csv
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from tests.harness.operations import operations
from tests.harness.servers.model import ScriptedModel
from tests.integration.operations.cases import interfaces, project, sessions, setup
from tests.integration.operations.cases.case import CASES
from tests.integration.operations.world import CONFIGURED_KEY, World, make_world

pytestmark = [pytest.mark.anyio, pytest.mark.integration]

TABLE = Path(__file__).parents[2] / "opencode" / "operation_catalog" / "required_operations.tsv"
GROUPS = (sessions, project, setup, interfaces)
"""Their import has filled the table of cases."""


def required() -> list[str]:
    with TABLE.open(encoding="utf-8", newline="") as file:
        return [row["id"] for row in csv.DictReader(file, delimiter="\t")]


@pytest.fixture(scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory, scripted_model: ScriptedModel) -> AsyncGenerator[World]:
    async with make_world(tmp_path_factory.mktemp("operations"), scripted_model) as made:
        yield made


def test_there_is_a_case_for_every_required_operation() -> None:
    assert len(required()) == 103
    assert set(required()) <= set(CASES) <= set(operations())


@pytest.mark.parametrize("operation_id", sorted(CASES))
async def test_a_good_call_does_what_it_says(operation_id: str, world: World) -> None:
    await CASES[operation_id].good(world)


@pytest.mark.parametrize("operation_id", sorted(CASES))
async def test_the_error_of_a_bad_call_says_what_is_wrong(operation_id: str, world: World) -> None:
    case = CASES[operation_id]
    assert case.says in await world.refusal(operation_id, **case.bad)


async def test_no_secret_of_any_call_reached_the_log(world: World) -> None:
    printed = world.launch.printed()
    assert "DEBUG" in printed
    for secret in (CONFIGURED_KEY, setup.KEY, world.server.password, "key-of-the-sign-in"):
        assert secret not in printed
