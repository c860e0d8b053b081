"""Principals: those who may use the bridge over HTTP, each with tokens, directories and limits of its own.

They are tables of the settings file. A principal may set what the options below set for everybody; the settings of the
whole bridge that restrict hold for all principals.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from itertools import combinations, takewhile
from pathlib import Path
from typing import Any, cast

from opencode_mcp.errors import InvalidSetting
from opencode_mcp.http.principals.permission_rules import default_decider, rules_of_principal
from opencode_mcp.options import OPTIONS, as_texts, has_wildcard
from opencode_mcp.server.access.allowed_directories import resolved
from opencode_mcp.server.access.setting_names import check_names
from opencode_mcp.settings import Settings

TOKEN_KEY = "token_sha256"  # noqa: S105 - the name of a key
SUBJECTS_KEY, CLAIMS_KEY = "subjects", "claims"
IDENTITY_KEYS = (TOKEN_KEY, SUBJECTS_KEY, CLAIMS_KEY)
"""Keys that say who the principal is."""
NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")
DIGEST = re.compile(r"[0-9a-f]{64}")
OWN_OPTIONS = (
    "directories",
    "read_only",
    "allow",
    "deny",
    "permissions",
    "permission_rules",
    "max_cost",
    "max_minutes",
    "max_steps",
    "max_runs",
    "max_cost_a_day",
    "model",
    "agent",
    "wait",
    "toolsets",
    "abort_on_cancel",
)
"""Options that a principal may have."""
LIMITS = ("max_cost", "max_minutes", "max_steps", "max_cost_a_day")
"""Options of which the lower value holds: the principal's, or that of the whole bridge."""
_OPTIONS = {option.name: option for option in OPTIONS if option.name in OWN_OPTIONS}


@dataclass(frozen=True, slots=True)
class Principal:
    """One of those who may use the bridge."""

    name: str
    digests: tuple[str, ...]
    """Digests of its tokens."""
    settings: Settings
    """Its rights."""
    subjects: tuple[str, ...] = ()
    """Subjects of its access tokens."""
    claims: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    """For each claim that its access tokens must have, such as a group, the values of which one is enough."""


def read_principals(tables: Mapping[str, object], settings: Settings) -> dict[str, Principal]:
    """Return the principals of a settings file, by name.

    Args:
        tables: A table for each principal.
        settings: The settings of the whole bridge.

    Raises:
        InvalidSetting: A table is wrong, or two principals share a token or a directory.
    """
    principals = {name: _principal(name, table, settings) for name, table in tables.items()}
    for one, other in combinations(principals.values(), 2):
        _check_apart(one, other)
    return principals


def check_name(name: str) -> None:
    """Refuse a name that no principal can have.

    Raises:
        InvalidSetting: The name is wrong.
    """
    if not NAME.fullmatch(name):
        raise InvalidSetting(
            f"{name!r} is not a name for a principal.",
            hint="It has up to 63 small letters, digits, - and _, as laptop or build-server.",
        )


def _principal(name: str, table: object, settings: Settings) -> Principal:
    check_name(name)
    if not isinstance(table, Mapping):
        raise InvalidSetting(f"principals.{name} must be a table.")
    values = dict(cast("Mapping[str, object]", table))
    try:
        digests = _digests(name, values.pop(TOKEN_KEY, []))
        subjects, claims = as_texts(values.pop(SUBJECTS_KEY, [])), _claims(values.pop(CLAIMS_KEY, {}))
        own = {key: _value(key, value) for key, value in values.items()}
        return Principal(name, digests, settings_of(name, own, settings), subjects, claims)
    except InvalidSetting as error:
        raise InvalidSetting(f"principals.{name} is wrong: {error.message}", hint=error.hint) from error


def _digests(name: str, value: object) -> tuple[str, ...]:
    digests = as_texts(value)
    if not all(map(DIGEST.fullmatch, digests)):
        raise InvalidSetting(
            f"{TOKEN_KEY} must be a SHA-256.", hint=f"`opencode-mcp token rotate {name}` makes a token."
        )
    return digests


def _claims(value: object) -> Mapping[str, tuple[str, ...]]:
    if not isinstance(value, Mapping):
        raise InvalidSetting(f"{CLAIMS_KEY} must be a table.", hint='For instance claims = { groups = ["shop-team"] }.')
    return {name: as_texts(values) for name, values in cast("Mapping[str, object]", value).items()}


def _value(key: str, value: object) -> object:
    if key not in _OPTIONS:
        keys = ", ".join((*IDENTITY_KEYS, *OWN_OPTIONS))
        raise InvalidSetting(f"It has no key {key!r}.", hint=f"The keys are {keys}.")
    try:
        return _OPTIONS[key].read(value)
    except InvalidSetting as error:
        raise InvalidSetting(f"{key}: {error.message}", hint=error.hint) from error


def settings_of(name: str, own: Mapping[str, Any], settings: Settings) -> Settings:
    """Return the settings of a principal: its own, as far as those of the whole bridge do not restrict them.

    Raises:
        InvalidSetting: It has no directory, or names an operation that does not exist.
    """
    if not own.get("directories"):
        raise InvalidSetting(
            "It has no directories.", hint='Add for instance directories = ["/home/me/projects/shop"].'
        )
    restricted: dict[str, Any] = {
        "read_only": settings.read_only or own.get("read_only", False),
        "allow": own.get("allow", ()),
        "deny": tuple(dict.fromkeys((*settings.deny, *own.get("deny", ())))),
        "permissions": own.get("permissions", default_decider(settings.permissions)),
        "permission_rules": rules_of_principal(own.get("permission_rules", {}), settings.permission_rules),
        # The limit of the whole bridge is one of batches alone, and holds for all principals together.
        "max_runs": settings.max_runs,
        "runs_at_once": own.get("max_runs"),
    }
    for limit in LIMITS:
        set_limits = [value for value in (getattr(settings, limit), own.get(limit)) if value is not None]
        restricted[limit] = min(set_limits, default=None)
    made = replace(settings, **(dict(own) | restricted), principal=name, principals={})
    check_names(made)
    return made


def _check_apart(one: Principal, other: Principal) -> None:
    """Refuse two principals with one token or subject, or with a directory in which both see all work."""
    if set(one.digests) & set(other.digests):
        raise InvalidSetting(
            f"The principals {one.name} and {other.name} have the same token.",
            hint=f"`opencode-mcp token rotate {other.name}` makes another one.",
        )
    if shared := set(one.subjects) & set(other.subjects):
        raise InvalidSetting(f"The principals {one.name} and {other.name} have the same subject, {min(shared)}.")
    for first in one.settings.directories:
        for second in other.settings.directories:
            if overlap(first, second):
                raise InvalidSetting(
                    f"The principals {one.name} and {other.name} would both work in {second}.",
                    hint="Directories of different principals must not contain each other. Give people who work in one "
                    "project one principal.",
                )


def overlap(one: str, other: str) -> bool:
    """Return True if a folder may be, or be in, both of two directories, which may end in patterns."""
    parts = zip(_parts(one), _parts(other), strict=False)
    return all(_may_be_equal(first, second) for first, second in parts)


def _parts(directory: str) -> tuple[str, ...]:
    """Return the parts of a directory, without links as far as it has a name, and in one case for all systems."""
    parts = Path(directory).parts
    named = tuple(takewhile(lambda part: not has_wildcard(part), parts))
    return tuple(part.casefold() for part in (*resolved(Path(*named)).parts, *parts[len(named) :]))


def _may_be_equal(one: str, other: str) -> bool:
    if has_wildcard(one) and has_wildcard(other):
        return True
    return one == other or fnmatchcase(one, other) or fnmatchcase(other, one)
