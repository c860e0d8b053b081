"""Decide which tools are listed and which operations may be called, from the operator's settings.

``--read-only`` outweighs everything, ``--deny`` outweighs ``--allow``, and reads and writes need no ``--allow``. Our
own tools and resources need none either, but a tool or resource that uses a denied operation is neither listed nor
served.
"""

from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Protocol, TypeVar, cast, get_args

from opencode_mcp.errors import InvalidSetting, NotAllowed
from opencode_mcp.opencode import annotation_types as annotation
from opencode_mcp.opencode.operations import catalog
from opencode_mcp.opencode.v1 import annotations
from opencode_mcp.server.access.operation_uses import TOOL_USES
from opencode_mcp.text.similar_names import similar_names

if TYPE_CHECKING:
    from opencode_mcp.config import Settings
    from opencode_mcp.opencode.annotation_types import Effect
    from opencode_mcp.opencode.operation_table import Operation

DEFAULT = "default"
ALL = "all"
VERBS: "Mapping[Effect, str]" = {
    "read": "read",
    "write": "write",
    "execute": "run something",
    "admin": "change the set-up",
}
ALLOWED_BY_ITSELF: frozenset["Effect"] = frozenset({"read", "write"})


class Tool(Protocol):
    """Part of a tool's definition that decides whether it is listed."""

    @property
    def name(self) -> str:
        """Return the name of the tool."""
        ...

    @property
    def read_only(self) -> bool:
        """Return True if the tool changes nothing."""
        ...


AnyTool = TypeVar("AnyTool", bound=Tool)


class AllowedOperations:
    """Decides what is allowed, from the operator's settings.

    Args:
        settings: ``toolsets``, ``read_only``, ``allow`` and ``deny`` are used.

    Raises:
        InvalidSetting: One of them has an unknown name: a typing error must not allow or deny anything.
    """

    def __init__(self, settings: "Settings") -> None:
        self._settings = settings
        _check_names(settings)

    @cached_property
    def _named(self) -> frozenset[str]:
        return frozenset(self._settings.toolsets)

    def tools(self, handmade: Iterable[AnyTool]) -> list[AnyTool]:
        """Return the hand-made tools that are listed, in their order."""
        if not self._named & {DEFAULT, ALL}:
            return []
        listed = [spec for spec in handmade if spec.read_only or not self._settings.read_only]
        return [spec for spec in listed if self.serves(TOOL_USES[spec.name])]

    def serves(self, uses: Iterable[str]) -> bool:
        """Return True if our tools and resources that use these operations (``operation_uses.py``) are served."""
        return not self._settings.deny or not self._denials(uses)

    @cached_property
    def denied_tools(self) -> frozenset[str]:
        """Return the names of our own tools that the operator's denials remove: no text suggests to call them."""
        return frozenset(name for name, uses in TOOL_USES.items() if not self.serves(uses))

    def denies(self, operation_id: str) -> bool:
        """Return True if the operator denies an operation, by its id or its effect."""
        return not self.serves([operation_id])

    def _denials(self, uses: Iterable[str]) -> frozenset[str]:
        """Return the ids and effects among some operations that the operator denies."""
        names = set(uses)
        effects = {annotations.ANNOTATIONS[name].effect for name in names if name in annotations.ANNOTATIONS}
        return frozenset(self._settings.deny) & (names | effects)

    def check_denied(self, operation: "Operation") -> None:
        """Refuse an operation that our own tools may not use: they need no ``--allow``, but ``--deny`` applies to them.

        Raises:
            NotAllowed: The operator denies the operation or its effect, or the bridge is read-only.
        """
        if self._settings.read_only or self._denials([operation.id]):
            self.check(operation)

    def operation_tools(self) -> "list[Operation]":
        """Return the operations that are listed as tools of their own, in the order of their ids."""
        if self._named <= {DEFAULT}:
            return []

        wanted = [item for item in catalog.operations().values() if ALL in self._named or item.group in self._named]
        return [item for item in wanted if self.allows(item)]

    def shows(self, operation: "Operation") -> bool:
        """Return True if a search may find an operation. It finds those that need ``--allow``, too."""
        return operation.effect == "read" or not self._settings.read_only

    def allows(self, operation: "Operation") -> bool:
        """Return True if an operation may be called."""
        return not self._refusal(operation)

    def allows_effect(self, effect: "Effect") -> bool:
        """Return True if an effect is allowed in general; single operations may differ."""
        settings = self._settings
        if settings.read_only and effect != "read":
            return False
        return effect not in settings.deny and (effect in ALLOWED_BY_ITSELF or effect in settings.allow)

    def allows_as(self, effect: "Effect", operation: "Operation") -> bool:
        """Return True if an operation may have an effect beyond its own, since the operator allows one of the two."""
        named = operation.id in self._settings.allow and not self._refusal(operation)
        return named or self.allows_effect(effect)

    def check(self, operation: "Operation") -> None:
        """Refuse an operation that may not be called.

        Raises:
            NotAllowed: The text names the setting that forbids it, and the setting that would allow it.
        """
        reason = self._refusal(operation)
        if reason:
            raise NotAllowed(
                f"{operation.id} is not allowed here: {reason}.", hint="Only the operator of the bridge can allow it."
            )

    def _refusal(self, operation: "Operation") -> str:
        settings, names = self._settings, {operation.id, operation.effect}
        if settings.read_only and operation.effect != "read":
            return "the bridge is read-only"
        if names & set(settings.deny):
            return f"the operator denies {' and '.join(sorted(names & set(settings.deny)))}"
        if operation.effect in ALLOWED_BY_ITSELF or names & set(settings.allow):
            return ""
        return f"it would {VERBS[operation.effect]}, which needs --allow {operation.effect} or --allow {operation.id}"


def _check_names(settings: "Settings") -> None:
    if set(settings.toolsets) <= {DEFAULT} and not settings.allow and not settings.deny:
        return  # The table is not read before it is needed.

    groups = [DEFAULT, ALL, *cast("tuple[str, ...]", get_args(annotation.Group))]
    effects = cast("tuple[str, ...]", get_args(annotation.Effect))
    _check(settings.toolsets, groups, "--toolsets", f"They are {', '.join(groups)}.")
    for flag, names in (("--allow", settings.allow), ("--deny", settings.deny)):
        hint = f"It takes {', '.join(effects)}, or an operation's id, as docs/operations.md lists them."
        _check(names, [*effects, *catalog.operations()], flag, hint)


def _check(names: Iterable[str], known: list[str], flag: str, hint: str) -> None:
    for name in names:
        if name not in known:
            near = similar_names(name, known, count=1, cutoff=0.6)
            raise InvalidSetting(
                f"{flag} names {name!r}, which does not exist.",
                hint=f"Did you mean {near[0]}? {hint}" if near else hint,
            )
