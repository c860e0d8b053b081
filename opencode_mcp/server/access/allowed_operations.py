"""Decide which tools are listed and which operations may be called, from the operator's settings.

``--read-only`` outweighs everything, ``--deny`` outweighs ``--allow``, and reads and writes need no ``--allow``. Our
own tools and resources need none either, except those that run code of the caller's choice, for which OpenCode asks no
permission (``ONLY_IF_ALLOWED``). A tool or resource that uses a denied operation is neither listed nor served.

The lists are made before the bridge knows which generation of OpenCode it will find, so the settings may name the
operations of both. A denied id of OpenCode 1 denies also what replaces it in OpenCode 2. Therefore the operations of
OpenCode 1 decide which of our tools are listed; if only OpenCode 2's are denied, ``Bridge.check_served`` refuses the
calls.
"""

from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Protocol, TypeVar

from opencode_mcp.errors import SCOPE_REMEDY, NotAllowed, SettingsChange
from opencode_mcp.opencode.operation_catalog import catalog
from opencode_mcp.opencode.v2 import replacements
from opencode_mcp.server.access import refusals
from opencode_mcp.server.access.missing_scopes import scope_of
from opencode_mcp.server.access.operations_of_tools import (
    MINIMAL_TOOLS,
    ONLY_IF_ALLOWED,
    TOOL_USES,
    WRITE_BY_THEMSELVES,
)
from opencode_mcp.server.access.setting_names import (
    ALL,
    DEFAULT,
    FIXED_SETS,
    GENERATIONS,
    MINIMAL,
    annotations_of,
    check_names,
)

if TYPE_CHECKING:
    from opencode_mcp.opencode.tables.annotation_types import Effect
    from opencode_mcp.opencode.tables.operation_table import Operation
    from opencode_mcp.opencode.versions import Generation
    from opencode_mcp.server.access.operations_of_tools import OneOperation, Uses
    from opencode_mcp.settings import Settings

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
        check_names(settings)

    @cached_property
    def _named(self) -> frozenset[str]:
        return frozenset(self._settings.toolsets)

    def tools(self, handmade: Iterable[AnyTool]) -> list[AnyTool]:
        """Return the hand-made tools that are listed, in their order."""
        listed = [spec for spec in handmade if spec.read_only or not self._settings.read_only]
        return [spec for spec in listed if self._lists_tool(spec.name)]

    def _lists_tool(self, name: str) -> bool:
        if not self.is_selected(name) or not self.serves(TOOL_USES[name]):
            return False
        if name in WRITE_BY_THEMSELVES and "write" in self._settings.deny:
            return False
        if name not in ONLY_IF_ALLOWED:
            return True
        # Without any --allow, the annotations need not be loaded at the start.
        return bool(self._settings.allow) and not self._refusal(ONLY_IF_ALLOWED[name][1], 1)

    def is_selected(self, name: str) -> bool:
        """Return True if the toolsets contain one of our own tools."""
        return bool(self._named & {DEFAULT, ALL}) or (MINIMAL in self._named and name in MINIMAL_TOOLS)

    @property
    def is_minimal(self) -> bool:
        """Return True if the listing must be as short as possible."""
        return self._settings.toolsets == (MINIMAL,)

    def serves(self, uses: "Uses") -> bool:
        """Return True if our tools and resources with these uses (``operations_of_tools.py``) are listed and served.

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
            raise _denied(f"That is not allowed with OpenCode {generation}", denied)

    @cached_property
    def denied_tools(self) -> frozenset[str]:
        """Return the names of our own tools that the toolsets and denials remove: no text suggests to call them."""
        return frozenset(name for name in TOOL_USES if not self._lists_tool(name))

    def denies(self, operation: "OneOperation") -> bool:
        """Return True if the operator denies an operation in either generation, by its id or its effect."""
        return any(self._denials([operation[generation]], generation) for generation in GENERATIONS)

    def _denials(self, uses: Iterable[str], generation: "Generation") -> frozenset[str]:
        """Return the settings that deny some operations of a generation: ids and effects."""
        if not self._settings.deny:
            return frozenset()
        names, known = set(uses), annotations_of(generation)
        effects = {known[name].effect for name in names if name in known}
        denied = self._denied[generation]
        return frozenset(denied[name] for name in (names | effects) & denied.keys())

    @cached_property
    def _denied(self) -> "Mapping[Generation, Mapping[str, str]]":
        """Denied ids and effects of each generation, with the name in the settings that denies them."""
        named = {name: name for name in self._settings.deny}
        replaced: dict[str, str] = {}
        for old in self._settings.deny:
            found = replacements.replacement(old)
            replaced |= dict.fromkeys(found.operations, old) if found else {}
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
        if self._named <= FIXED_SETS:
            return []
        listed: dict[str, tuple[Operation, ...]] = {}
        for generation in GENERATIONS:
            for name, operation in catalog.table_of(generation).operations.items():
                if self._lists(operation):
                    listed[name] = (*listed.get(name, ()), operation)
        return [listed[name] for name in sorted(listed)]

    def _lists(self, operation: "Operation") -> bool:
        return not self._named.isdisjoint({ALL, operation.group}) and self.allows(operation)

    def shows(self, operation: "Operation") -> bool:
        """Return True if a search may find an operation. It finds those that need ``--allow``, too."""
        return operation.effect == "read" or not self._settings.read_only

    def allows(self, operation: "Operation") -> bool:
        """Return True if an operation may be called."""
        return self.refusal(operation) is None

    def allows_effect(self, effect: "Effect") -> bool:
        """Return True if an effect is allowed in general; single operations may differ."""
        settings = self._settings
        if settings.read_only and effect != "read":
            return False
        return effect not in settings.deny and (effect in ALLOWED_BY_ITSELF or effect in settings.allow)

    def allows_as(self, effect: "Effect", operation: "Operation") -> bool:
        """Return True if an operation may have an effect beyond its own, since the operator allows one of the two."""
        named = operation.id in self._settings.allow and self.allows(operation)
        return named or self.allows_effect(effect)

    def change_for(self, effect: "Effect", operation: "Operation | None" = None) -> SettingsChange:
        """Return the change of the settings that allows an effect: for one operation, or in general."""
        allowed = self._settings.allow
        if operation is None:
            return SettingsChange(f"--allow {','.join([*allowed, effect])}")
        return refusals.added_to(allowed, [operation.id], effect)

    def check(self, operation: "Operation") -> None:
        """Refuse an operation that may not be called.

        Raises:
            NotAllowed: The text names the setting that forbids it, and the setting that would allow it.
        """
        if refusal := self.refusal(operation):
            raise refusal

    def refusal(self, operation: "Operation") -> NotAllowed | None:
        """Return the error for an operation that may not be called; ``None`` if it may be called."""
        return self._refusal(operation.id, operation.generation)

    def check_caller_code(self, purpose: "OneOperation", because: str = "") -> None:
        """Refuse code of the caller's choice, for which OpenCode asks no permission, unless ``--allow`` allows it.

        The generation in use may not be known yet, so the settings for both count.

        Args:
            purpose: The operation that runs such code.
            because: A sentence that says what code it is, if the caller did not name the operation.

        Raises:
            NotAllowed: The settings forbid the operation, or do not allow it.
        """
        for generation in GENERATIONS:
            if refusal := self._refusal(purpose[generation], generation):
                refusal.message = f"{because} {refusal.message}".lstrip()
                raise refusal

    def refusal_of_tool(self, name: str) -> NotAllowed | None:
        """Return the error for a tool that is listed only if ``--allow`` says so; ``None`` for any other name."""
        if name not in ONLY_IF_ALLOWED:
            return None
        refusal = self._refusal(ONLY_IF_ALLOWED[name][1], 1)
        if refusal:
            refusal.message = f"There is no tool {name} here. {refusal.message}"
        return refusal

    def _refusal(self, operation_id: str, generation: "Generation") -> NotAllowed | None:
        settings, known = self._settings, annotations_of(generation)[operation_id]
        if scope := scope_of(known.effect, settings):
            return NotAllowed(
                f"{operation_id} is not allowed here: the access token of this client lacks the scope {scope}.",
                hint=SCOPE_REMEDY,
                scope=scope,
            )
        if settings.read_only and known.effect != "read":
            return NotAllowed(
                f"{operation_id} is not allowed here: this MCP server is read-only.",
                change=SettingsChange("--read-only", removes=True),
            )
        if denied := self._denials([operation_id], generation):
            return _denied(f"{operation_id} is not allowed here", denied)
        if known.effect in ALLOWED_BY_ITSELF or {operation_id, known.effect} & set(settings.allow):
            return None
        return refusals.not_allowed(operation_id, known, generation, settings.allow)


def _denied(sentence: str, names: Iterable[str]) -> NotAllowed:
    listed = sorted(names)
    return NotAllowed(
        f"{sentence}: whoever configured this MCP server denies {' and '.join(listed)}.",
        change=SettingsChange(f"--deny {','.join(listed)}", removes=True),
    )
