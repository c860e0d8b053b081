"""New batches: the tasks that a caller names, each checked before any of them is queued."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from typing import TYPE_CHECKING, Any

from opencode_mcp.batch_queue.scope import scope_of
from opencode_mcp.batch_queue.tasks import NewBatch, NewTask
from opencode_mcp.errors import BridgeError, InvalidArgument
from opencode_mcp.runs.outcome.answer_summary import first_words
from opencode_mcp.runs.prompting.prompt import check_prompt
from opencode_mcp.server.access.execution import verify_commands
from opencode_mcp.server.new_runs.isolated_runs import Isolation
from opencode_mcp.server.new_runs.run_orders import RunOrder, prompt_of
from opencode_mcp.text.outside_text import one_line

if TYPE_CHECKING:
    from opencode_mcp.runs.run_record import RunStarter
    from opencode_mcp.server.bridge import Bridge
    from opencode_mcp.server.definition.tool import BridgeTool

MOST_TASKS = 100
REQUEST_FORMS = ((True, False, False), (False, True, True))
"""Ways to describe a batch: whether the tasks, a prompt and models are given."""
NOT_FOR_TASKS = frozenset({"session_id", "wait_seconds"})
"""Arguments of ``opencode_run`` that a task does not have: each starts a session, and the call waits for all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchRequest:
    """Batch as a caller describes it."""

    tasks: Sequence[Mapping[str, Any]] = ()
    prompt: str = ""
    models: Sequence[str] = ()
    common: Mapping[str, Any] = field(default_factory=dict[str, Any])
    parallel: int
    max_cost: float | None = None


async def new_batch(bridge: "Bridge", request: BatchRequest, run_tool: "BridgeTool", starter: "RunStarter") -> NewBatch:
    """Return the batch that a caller describes; every task is checked as ``opencode_run`` checks a call.

    Args:
        bridge: The parts of the server.
        request: The description.
        run_tool: The tool whose arguments a task has.
        starter: Who is behind the host.

    Raises:
        BridgeError: A task is wrong; the text names its number. Nothing was queued.
    """
    if request.max_cost is not None:
        bridge.supervision.check_limits_allowed()
    orders: list[RunOrder] = []
    seen: set[tuple[str, ...]] = set()
    for number, arguments in enumerate(_tasks(request), 1):
        try:
            order = _order(run_tool, dict(request.common) | arguments)
            orders.append(await _checked(bridge, order, seen))
        except BridgeError as error:
            error.message = f"Task {number}: {error.message}"
            raise
    return NewBatch(
        scope=scope_of(bridge.settings),
        starter=starter,
        parallel=request.parallel,
        max_cost=request.max_cost,
        tasks=tuple(NewTask(arguments=asdict(order), words=_task_name(order)) for order in orders),
    )


def _tasks(request: BatchRequest) -> list[dict[str, Any]]:
    """Return the arguments of each task, without the common ones.

    Raises:
        InvalidArgument: There are none or too many, or both forms are used.
    """
    if (bool(request.tasks), bool(request.prompt), bool(request.models)) not in REQUEST_FORMS:
        raise InvalidArgument(
            "Give either tasks, or prompt and models.",
            hint='For instance tasks=[{"prompt": "..."}, {"prompt": "..."}].',
        )
    tasks = [dict(task) for task in request.tasks] or [_try(request, model) for model in request.models]
    if len(tasks) > MOST_TASKS:
        raise InvalidArgument(f"These are {len(tasks)} tasks.", hint=f"Give at most {MOST_TASKS} in a call.")
    return tasks


def _try(request: BatchRequest, model: str) -> dict[str, Any]:
    """Return the task of one model; the results are kept apart, so that they can be compared."""
    return {"prompt": request.prompt, "model": model, "isolate": request.common.get("isolate", True)}


def _order(run_tool: "BridgeTool", arguments: dict[str, Any]) -> RunOrder:
    if found := NOT_FOR_TASKS & arguments.keys():
        raise InvalidArgument(
            f"A task has no {min(found)}.", hint="Each task starts a session of its own, and the call waits for all."
        )
    values = run_tool.checked(arguments)
    return RunOrder(**{each.name: values[each.name] for each in fields(RunOrder)})


async def _checked(bridge: "Bridge", order: RunOrder, seen: set[tuple[str, ...]]) -> RunOrder:
    """Check an order as its start does, and return it with its directory.

    Args:
        bridge: The parts of the server.
        order: The order.
        seen: What was checked of earlier orders in requests to OpenCode, and with git.
    """
    bridge.supervision.limits_for(order.limits)
    _check_verification(bridge, order)
    directory = await _checked_directory(bridge, order, seen)
    order = replace(order, directory=directory)
    for name in order.files:
        await bridge.fence.existing_file(directory, name)
    await _check_prompt(bridge, order, seen)
    return order


def _check_verification(bridge: "Bridge", order: RunOrder) -> None:
    verified = verify_commands.request_of(bridge.settings, bridge.allowed, order.verify, order.repair)
    if verified and not verified.name:
        raise InvalidArgument(
            "A task can be verified by a command that the settings name, and by no other line.",
            hint="Name one of them, or leave verify out.",
        )


async def _checked_directory(bridge: "Bridge", order: RunOrder, seen: set[tuple[str, ...]]) -> str:
    """Return the directory of an order, after a check that an isolated worktree can be made there, if one is wanted."""
    isolation = Isolation(order.isolate, order.base, order.title, 0)
    isolation.check(bridge, order.session_id)
    directory = await bridge.fence.directory(order.directory)
    if isolation.isolate and (directory, isolation.chosen_base) not in seen:
        await bridge.worktrees.check(directory, isolation.chosen_base)
        seen.add((directory, isolation.chosen_base))
    return directory


async def _check_prompt(bridge: "Bridge", order: RunOrder, seen: set[tuple[str, ...]]) -> None:
    """Check what OpenCode would accept and then fail at; one choice of agent and model is checked once."""
    prompt = await prompt_of(bridge, replace(order, files=[]), order.directory)
    choice = (order.directory, prompt.agent, prompt.model, prompt.variant)
    if choice not in seen or order.output_schema is not None or not order.prompt.strip():
        await check_prompt(bridge.client, prompt, bridge.instance_reload)
        seen.add(choice)


def _task_name(order: RunOrder) -> str:
    words = one_line(order.title.strip()) or first_words(order.prompt)
    return f"{words} ({order.model})" if order.model else words
