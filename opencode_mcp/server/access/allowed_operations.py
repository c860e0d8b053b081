"""Decide which tools are listed and which operations may be called, from the operator's settings.

``--read-only`` outweighs everything, ``--deny`` outweighs ``--allow``, and reads and writes need no ``--allow``. Our
own tools and resources need none either, but a tool or resource that uses a denied operation is neither listed nor
served.

The lists are made before the bridge knows which generation of OpenCode it will find, so the settings may name the
operations of both. A denied id of OpenCode 1 denies also what replaces it in OpenCode 2. Therefore the operations of
OpenCode 1 decide which of our tools are listed; if only OpenCode 2's are denied, ``Bridge.check_served`` refuses the
calls.
"""

from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Protocol, TypeVar, cast, get_args

from opencode_mcp.errors import InvalidSetting, NotAllowed
from opencode_mcp.opencode.operations import catalog
from opencode_mcp.opencode.tables import annotation_types as annotation
from opencode_mcp.opencode.v1 import annotations as v1_annotations
from opencode_mcp.opencode.v2 import annotations as v2_annotations
from opencode_mcp.opencode.v2 import replacements
from opencode_mcp.server.access.operation_uses import TOOL_USES
from opencode_mcp.text.similar_names import similar_names

if TYPE_CHECKING:
    from opencode_mcp.config import Settings
    from opencode_mcp.opencode.tables.annotation_types import Annotation, Effect
    from opencode_mcp.opencode.tables.operation_table import Operation
    from opencode_mcp.opencode.versions import Generation
    from opencode_mcp.server.access.operation_uses import OneOperation, Uses

DEFAULT = "default"
ALL = "all"
VERBS: "Mapping[Effect, str]" = {
    "read": "read",
    "write": "write",
    "execute": "run something",
    "admin": "change the set-up",
}
ALLOWED_BY_ITSELF: frozenset["Effect"] = frozenset({"read", "write"})
GENERATIONS: "tuple[Generation, Generation]" = (1, 2)


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

    def serves(self, uses: "Uses") -> bool:
        """Return True if our tools and resources with these uses (``operation_uses.py``) are listed and served.

        The uses of OpenCode 1 decide; see ``serves_always``.
        """
        return not self._denials(uses[1], 1)

    def serves_always(self, uses: "Uses") -> bool:
        """Return True if ``check_served`` refuses these uses for no generation of OpenCode."""
        return not any(self._denials(uses[generation], generation) for generation in GENERATIONS)

    def check_served(self, uses: "Uses", generation: "Generation") -> None:
        """Refuse what the operator's denials remove for one generation of OpenCode.

        Raises:
            NotAllowed: It uses a denied operation.
        """
        if denied := self._denials(uses[generation], generation):
            raise NotAllowed(
                f"That is not allowed with OpenCode {generation}: the operator denies {' and '.join(sorted(denied))}.",
                hint="Only the operator of the bridge can allow it.",
            )

    @cached_property
    def denied_tools(self) -> frozenset[str]:
        """Return the names of our own tools that the operator's denials remove: no text suggests to call them."""
        return frozenset(name for name, uses in TOOL_USES.items() if not self.serves(uses))

    def denies(self, operation: "OneOperation") -> bool:
        """Return True if the operator denies an operation in either generation, by its id or its effect."""
        return any(self._denials([operation[generation]], generation) for generation in GENERATIONS)

    def _denials(self, uses: Iterable[str], generation: "Generation") -> frozenset[str]:
        """Return the settings that deny some operations of a generation: ids and effects."""
        if not self._settings.deny:
            return frozenset()
        names, known = set(uses), _annotations(generation)
        effects = {known[name].effect for name in names if name in known}
        denied = self._denied[generation]
        return frozenset(denied[name] for name in (names | effects) & denied.keys())

    @cached_property
    def _denied(self) -> "Mapping[Generation, Mapping[str, str]]":
        """Denied ids and effects of each generation, with the name in the settings that denies them."""
        named = {name: name for name in self._settings.deny}
        replaced = {
            new: old
            for old in self._settings.deny
            if (found := replacements.replacement(old))
            for new in found.operations
        }
        return {1: named, 2: replaced | named}

    def check_denied(self, operation: "Operation") -> None:
        """Refuse an operation that our own tools may not use: they need no ``--allow``, but ``--deny`` applies to them.

        Raises:
            NotAllowed: The operator denies the operation or its effect, or the bridge is read-only.
        """
        if self._settings.read_only or self._denials([operation.id], operation.generation):
            self.check(operation)

    def operation_tools(self) -> "list[tuple[Operation, ...]]":
        """Return the operations that are listed as tools of their own, in the order of their ids.

        An item has the operations of both generations with one id, as far as they are allowed.
        """
        if self._named <= {DEFAULT}:
            return []
        tables = [catalog.table_of(generation).operations for generation in GENERATIONS]
        ids = sorted({name for table in tables for name in table})
        rows = [tuple(table[name] for table in tables if name in table and self._lists(table[name])) for name in ids]
        return [found for found in rows if found]

    def _lists(self, operation: "Operation") -> bool:
        return not self._named.isdisjoint({ALL, operation.group}) and self.allows(operation)

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
        if denied := self._denials([operation.id], operation.generation):
            return f"the operator denies {' and '.join(sorted(denied))}"
        if operation.effect in ALLOWED_BY_ITSELF or names & set(settings.allow):
            return ""
        return f"it would {VERBS[operation.effect]}, which needs --allow {operation.effect} or --allow {operation.id}"


def _annotations(generation: "Generation") -> "Mapping[str, Annotation]":
    """Return the annotations of a generation's operations, for which no table has to be read."""
    return v1_annotations.ANNOTATIONS if generation == 1 else v2_annotations.ANNOTATIONS


def _check_names(settings: "Settings") -> None:
    if set(settings.toolsets) <= {DEFAULT} and not settings.allow and not settings.deny:
        return  # The table is not read before it is needed.

    groups = [DEFAULT, ALL, *cast("tuple[str, ...]", get_args(annotation.Group))]
    effects = cast("tuple[str, ...]", get_args(annotation.Effect))
    ids = dict.fromkeys(name for generation in GENERATIONS for name in _annotations(generation))
    _check(settings.toolsets, groups, "--toolsets", f"They are {', '.join(groups)}.")
    for flag, names in (("--allow", settings.allow), ("--deny", settings.deny)):
        hint = f"It takes {', '.join(effects)}, or an operation's id: see docs/operations.md and operations2.md."
        _check(names, [*effects, *ids], flag, hint)


def _check(names: Iterable[str], known: list[str], flag: str, hint: str) -> None:
    for name in names:
        if name not in known:
            near = similar_names(name, known, count=1, cutoff=0.6)
            raise InvalidSetting(
                f"{flag} names {name!r}, which does not exist.",
                hint=f"Did you mean {near[0]}? {hint}" if near else hint,
            )
