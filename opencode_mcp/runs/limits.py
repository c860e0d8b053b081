"""Limits of a run: cost, working time and steps of the model. Pure.

A caller sets them for a run. The operator's settings can set caps, which hold for every run and which a caller cannot
exceed. The note of the run (``run_note.py``) keeps what holds, so that every bridge that follows the run knows it;
``enforcement/limit_watch.py`` stops a run that exceeds a limit.
"""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from typing import cast

from opencode_mcp.errors import NotAllowed, SettingsChange
from opencode_mcp.text.quantities import quantity

MINUTE_SECONDS = 60.0
COST_DIGITS = 6
"""Decimals of a cost that count: sums of costs are not exact."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of one run, with its subagents; ``None`` for no limit."""

    max_cost: float | None = None
    """US dollars."""
    max_minutes: float | None = None
    """Minutes of work; the time in which a permission or question is open does not count."""
    max_steps: int | None = None
    """Steps of the model."""

    def __bool__(self) -> bool:
        """Return True if there is any limit."""
        return self != NO_LIMITS

    @property
    def counts_messages(self) -> bool:
        """Return True if the messages of the run must be read to compare it with the limits."""
        return self.max_cost is not None or self.max_steps is not None

    def as_data(self) -> dict[str, float]:
        """Return the limits as JSON data; see ``read_limits``."""
        return {name: value for name, value in asdict(self).items() if value is not None}

    def allowing(self, wanted: "Limits") -> "Limits":
        """Return the limits of a run for which a caller wants some, where these are the operator's caps.

        Raises:
            NotAllowed: A wanted limit is higher than the cap.
        """
        held: dict[str, float | None] = {}
        for field in fields(self):
            cap, want = _value(self, field.name), _value(wanted, field.name)
            if cap is not None and want is not None and want > cap:
                raise _above_cap(field.name, want, cap)
            held[field.name] = cap if want is None else want
        return _of(held)


NO_LIMITS = Limits()


@dataclass(frozen=True, slots=True)
class Used:
    """Part of its limits that a run has used, with its subagents."""

    cost: float = 0
    """US dollars, of the steps whose cost OpenCode knows."""
    steps: int = 0
    """Steps of the model that have begun."""
    seconds: float = 0
    """Time of work."""


def left(limits: Limits, used: Used) -> Limits | None:
    """Return what is left of limits for a prompt that goes on with the work; ``None`` if one of them is used up."""
    cost, minutes, steps = limits.max_cost, limits.max_minutes, limits.max_steps
    rest = Limits(
        None if cost is None else round(cost - used.cost, COST_DIGITS),
        None if minutes is None else minutes - used.seconds / MINUTE_SECONDS,
        None if steps is None else steps - used.steps,
    )
    return rest if all(value > 0 for value in rest.as_data().values()) else None


def excess(limits: Limits, used: Used) -> str:
    """Return a sentence on the limit that a run exceeds; empty if it exceeds none.

    A new step exceeds a cost that is used up. The caller asks when a step begins, or while one runs. The sentence has
    no amounts that grow until OpenCode has stopped, so that every report of the run says the same.
    """
    if limits.max_steps is not None and used.steps > limits.max_steps:
        limit = quantity(limits.max_steps, "step")
        begun = limits.max_steps + 1
        return f"The run was stopped in step {begun}, whose calls may have ended: the limit is {limit}."
    if limits.max_cost is not None and used.cost >= limits.max_cost:
        return f"The run was stopped for its cost: the limit is {_dollars(limits.max_cost)} USD."
    if limits.max_minutes is not None and used.seconds >= limits.max_minutes * MINUTE_SECONDS:
        return f"The run was stopped for its working time: the limit is {limits.max_minutes:g} min."
    return ""


def passed_limit(limits: Limits, used: Used) -> str:
    """Return a sentence on the limit that a completed run has passed, since it ended too soon; empty if there is none.

    A run that has just used a limit up needed no more.
    """
    if limits.max_steps is not None and used.steps > limits.max_steps:
        text = f"it took {quantity(used.steps, 'step')}, and the limit is {quantity(limits.max_steps, 'step')}"
    elif limits.max_cost is not None and round(used.cost - limits.max_cost, COST_DIGITS) > 0:
        text = f"it cost {_dollars(used.cost)} USD, and the limit is {_dollars(limits.max_cost)} USD"
    elif limits.max_minutes is not None and used.seconds > limits.max_minutes * MINUTE_SECONDS:
        text = f"it worked for {used.seconds / MINUTE_SECONDS:.3g} min, and the limit is {limits.max_minutes:g} min"
    else:
        return ""
    return f"The run ended before it could be stopped at its limit: {text}."


def excess_of_batch(limit: float, spent: float) -> str:
    """Return a sentence for a run whose batch has cost as much as it may; empty if it has not.

    Args:
        limit: Limit of the batch in US dollars.
        spent: Cost of its tasks until now.
    """
    if spent < limit:
        return ""
    return f"The run was stopped: its batch has cost {_dollars(spent)} USD, and the limit is {_dollars(limit)} USD."


def _dollars(amount: float) -> str:
    """Return an amount with two decimals, or with as many as a small one needs."""
    return f"{amount:.2f}" if round(amount, 2) == round(amount, 6) else f"{amount:.6f}".rstrip("0")


def tightest(several: Iterable[Limits]) -> Limits:
    """Return the lowest of several limits of each kind."""
    known = list(several)
    return _of({field.name: _lowest(_value(limits, field.name) for limits in known) for field in fields(Limits)})


def _lowest(values: Iterable[float | None]) -> float | None:
    return min((value for value in values if value is not None), default=None)


def read_limits(data: object) -> Limits:
    """Read limits from JSON data.

    Raises:
        ValueError: They are none.
    """
    if not isinstance(data, Mapping):
        raise ValueError("no limits")  # noqa: TRY004 - as JSON that cannot be read
    values = cast("Mapping[str, object]", data)
    names = {field.name for field in fields(Limits)}
    if not names.issuperset(values) or not all(_is_limit(value) for value in values.values()):
        raise ValueError("no limits")
    return _of(cast("Mapping[str, float | None]", values))


def _is_limit(value: object) -> bool:
    return value is None or (isinstance(value, int | float) and not isinstance(value, bool) and value > 0)


def _of(values: Mapping[str, float | None]) -> Limits:
    steps = values.get("max_steps")
    return Limits(values.get("max_cost"), values.get("max_minutes"), None if steps is None else int(steps))


def _value(limits: Limits, name: str) -> float | None:
    return cast("float | None", getattr(limits, name))


def _above_cap(name: str, wanted: float, cap: float) -> NotAllowed:
    return NotAllowed(
        f"{name}={wanted:g} is more than {cap:g}, the most that is allowed here.",
        hint=f"Give at most {cap:g}, or leave {name} out: then {cap:g} holds.",
        change=SettingsChange(f"--{name.replace('_', '-')} {wanted:g}"),
    )
