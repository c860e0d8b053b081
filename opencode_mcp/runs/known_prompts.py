"""Knowledge of one bridge about the prompts that it has sent: a cache, and never the only copy."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from opencode_mcp.bounded_dict import BoundedDict
from opencode_mcp.opencode.vocabulary.submission import Receipt
from opencode_mcp.runs.outcome.state import State

PROMPTS_KEPT = 1000
STARTED_KEPT = 20


@dataclass(frozen=True, slots=True)
class KnownPrompts:
    """Facts about prompts, each by the id of its prompt."""

    started: BoundedDict[str, str] = field(default_factory=lambda: BoundedDict[str, str](STARTED_KEPT))
    """The latest prompts that callers started one by one, by their sessions."""
    words: BoundedDict[str, str] = field(default_factory=lambda: BoundedDict[str, str](PROMPTS_KEPT))
    """The first words of prompts that were sent from here."""
    accepted: BoundedDict[str, Receipt] = field(default_factory=lambda: BoundedDict[str, Receipt](PROMPTS_KEPT))
    """The settings of sessions that prompts from here have changed, until these are reported."""
    models: BoundedDict[str, str] = field(default_factory=lambda: BoundedDict[str, str](PROMPTS_KEPT))
    """The models that prompts from here name, as ``provider/model``."""
    stopped: BoundedDict[str, bool] = field(default_factory=lambda: BoundedDict[str, bool](PROMPTS_KEPT))
    """The prompts whose runs were stopped from here."""
    schemas: BoundedDict[str, Mapping[str, Any] | None] = field(
        default_factory=lambda: BoundedDict[str, Mapping[str, Any] | None](PROMPTS_KEPT)
    )
    """The callers' schemas of the answers, as far as they are known."""
    withdrawn: BoundedDict[str, State] = field(default_factory=lambda: BoundedDict[str, State](PROMPTS_KEPT))
    """The prompts that were withdrawn because they were never begun, each with the state of its run."""
    stop_reasons: BoundedDict[str, str] = field(default_factory=lambda: BoundedDict[str, str](PROMPTS_KEPT))
    """The prompts whose runs were stopped from here at a limit, each with a sentence on it."""
