"""Names that the settings ``toolsets``, ``allow`` and ``deny`` may contain."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, cast, get_args

from opencode_mcp.errors import InvalidSetting
from opencode_mcp.opencode.tables import annotation_types as annotation
from opencode_mcp.opencode.v1 import annotations as v1_annotations
from opencode_mcp.opencode.v2 import annotations as v2_annotations
from opencode_mcp.text.similar_names import similar_names

if TYPE_CHECKING:
    from opencode_mcp.opencode.tables.annotation_types import Annotation
    from opencode_mcp.opencode.versions import Generation
    from opencode_mcp.settings import Settings

DEFAULT = "default"
MINIMAL = "minimal"
ALL = "all"
FIXED_SETS = frozenset({DEFAULT, MINIMAL})
"""Toolsets without operations as tools of their own."""
GENERATIONS: "tuple[Generation, Generation]" = (1, 2)


def annotations_of(generation: "Generation") -> "Mapping[str, Annotation]":
    """Return the annotations of a generation's operations, for which no table has to be read."""
    return v1_annotations.ANNOTATIONS if generation == 1 else v2_annotations.ANNOTATIONS


def check_names(settings: "Settings") -> None:
    """Check the names in ``toolsets``, ``allow`` and ``deny``.

    Raises:
        InvalidSetting: One of them has an unknown name: a typing error must not allow or deny anything.
    """
    if set(settings.toolsets) <= FIXED_SETS and not settings.allow and not settings.deny:
        return  # The table is not read before it is needed.

    groups = [DEFAULT, MINIMAL, ALL, *cast("tuple[str, ...]", get_args(annotation.Group))]
    effects = cast("tuple[str, ...]", get_args(annotation.Effect))
    ids = dict.fromkeys(name for generation in GENERATIONS for name in annotations_of(generation))
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
