"""Messages as hypothesis draws them, for the tools, resources and prompts of a bridge; they have no ids yet."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, cast

from hypothesis import strategies as st

from tests.fuzz import pools

Json = dict[str, Any]
OPERATION_PREFIX = "opencode_op_"
Kind = Literal["request", "notification", "cancel", "response", "no-id", "bad-id", "raw"]


@dataclass(frozen=True, slots=True)
class Draft:
    """A message before it has an id."""

    kind: Kind
    method: object = None
    params: object = None
    extra: Json = field(default_factory=dict[str, Any])
    """Further members of the message; they replace the usual ones."""
    raw: bytes = b""
    """The whole line, for what is no message."""
    enveloped: bool = True
    """True if a request of the era without handshake carries its envelope."""
    text_id: bool = False
    """True if its id is a text."""


@dataclass(frozen=True, slots=True)
class Offer:
    """Tools, resources and prompts that a bridge lists."""

    tools: Sequence[Json]
    resources: Sequence[str]
    prompts: Sequence[str]


RAWS = st.sampled_from([pools.raw(name) for name in pools.RAW])
NAMED = st.sampled_from([*pools.PLACES, *pools.URLS, *pools.IDS, *pools.PATTERNS, *pools.COMMANDS, *pools.TEXTS])
TEXTS = st.one_of(NAMED, NAMED, st.text(st.characters(exclude_categories=["Cs", "Co"]), max_size=20))
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.sampled_from(pools.NUMBERS),
    TEXTS,
    TEXTS,
    TEXTS,
    RAWS,
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=5,
)
"""Any JSON, nasty for the most part."""
RARE = st.sampled_from([False] * 59 + [True])
LONG = st.sampled_from(pools.LONG)

BY_NAME: Mapping[str, Sequence[object]] = {
    "directory": ["{project}", *pools.PLACES],
    "path": pools.PLACES,
    "files": [["README.md"], ["{outside}/secret.txt"], ["**/" * 60], ["{a,b}" * 20], ["../outside/*"]],
    "url": pools.URLS,
    "uri": pools.URLS,
    "include": pools.PATTERNS,
    "pattern": pools.PATTERNS,
    "query": [*pools.TEXTS, *pools.PATTERNS],
    "command": pools.COMMANDS,
    "arguments": pools.COMMANDS,
    "prompt": ["Say hello.", "@../outside/secret.txt", "", "\0", "é" * 3000],
    "wait_seconds": [0, 0.1, -1, 3601, 10**30, "soon"],
    "seconds": [0, 0.1, -1, 10**30, "soon"],
    "output_schema": [
        {"type": "object", "properties": {"a": {"type": "string", "pattern": "^(a+)+$"}}},
        {"$ref": "#"},
        {"$ref": "http://127.0.0.1:9/schema.json"},
        {"$ref": "file://{outside}/secret.txt"},
        {"type": 5},
        {},
    ],
    "operation": ["session.list", "session.get", "file.read", "find.text", "session.update", "config.get", "nosuch"],
    "agent": ["build", "nosuch", *pools.TEXTS[:8]],
    "model": ["scripted/m1", "nosuch/x", "m1", "/", *pools.TEXTS[:8]],
    "cursor": [*pools.IDS, *pools.TEXTS[:8], "eyJhIjoxfQ", "A" * 5000],
    "offset": [*pools.NUMBERS],
    "limit": [1, *pools.NUMBERS],
    "patch": ["", "--- a/x\n+++ b/../outside/made.txt\n@@ -0,0 +1 @@\n+x\n", "diff --git a/x b/x\n" * 50],
}
"""Usual values of an argument, by its name; for other names, texts of the pool."""
BY_FORM: Mapping[str, Sequence[object]] = {
    "integer": pools.NUMBERS,
    "number": pools.NUMBERS,
    "boolean": [True, False, "yes", 1],
    "array": [[], [""], ["x"], [None], "x", [["x"]]],
    "object": [{}, {"a": 1}, [], {"": None}],
}
"""Values of an argument by its type, if its name is not known."""
FROM_THE_POOL = frozenset({"command", "input", "seconds", "wait_seconds"})
"""Arguments that never get a random value: one could run as a shell line, or make a call take long."""
ALWAYS_SAID = frozenset({"seconds", "wait_seconds"})
"""Left out, these would make a call take long."""


def argument(name: str, schema: Mapping[str, object]) -> st.SearchStrategy[object]:
    """Values for an argument: fitting ones, nasty ones of its form, and any."""
    named = st.sampled_from(BY_NAME.get(name) or _of_form(name, schema))
    if name in FROM_THE_POOL:
        return named
    return st.one_of(named, named, named, st.deferred(lambda: VALUES), _sometimes_long(named))


def _of_form(name: str, schema: Mapping[str, object]) -> Sequence[object]:
    if name.lower().endswith(("id", "ids")):
        return pools.IDS
    if "enum" in schema:
        return [*cast("Sequence[object]", schema["enum"]), "nosuch", ""]
    return BY_FORM.get(str(schema.get("type")), [*pools.TEXTS, *pools.PLACES])


@st.composite
def _sometimes_long(draw: st.DrawFn, usual: st.SearchStrategy[object]) -> object:
    return draw(LONG if draw(RARE) else usual)


def arguments_of(schema: Mapping[str, Any]) -> st.SearchStrategy[Json]:
    """Objects with what a tool requires, mostly, and some of the rest."""
    properties = cast("Mapping[str, Mapping[str, object]]", schema.get("properties", {}))
    required = cast("Sequence[str]", schema.get("required", ()))
    fields = {name: argument(name, form) for name, form in properties.items()}
    whole = _with_always(fields, {*required, *ALWAYS_SAID})
    partial = _with_always(fields, ALWAYS_SAID)
    return st.one_of(whole, whole, partial)


def _with_always(fields: Mapping[str, st.SearchStrategy[object]], always: Collection[str]) -> st.SearchStrategy[Json]:
    """Objects with some of the fields, and with all of those that are always said."""
    said = {name: fields[name] for name in fields if name in always}
    return st.fixed_dictionaries(said, optional={name: fields[name] for name in fields if name not in always})


def _either(*usual: object) -> st.SearchStrategy[object]:
    """One of the usual values, or anything."""
    return st.one_of(st.sampled_from(usual), st.sampled_from(usual), VALUES)


def _params(**fields: st.SearchStrategy[object]) -> st.SearchStrategy[object]:
    """Parameters with these members, some left out; now and then something else altogether."""
    usual = st.fixed_dictionaries(fields)
    partial = st.fixed_dictionaries({}, optional=fields)
    return st.one_of(usual, usual, usual, partial, st.dictionaries(TEXTS, VALUES, max_size=2), VALUES)


def _other_methods(offer: Offer) -> Mapping[str, st.SearchStrategy[object]]:
    uri = _either(*pools.URLS, *offer.resources)
    prompt = _either(*offer.prompts, "nosuch")
    ref = _either(
        {"type": "ref/prompt", "name": "delegate"},
        *({"type": "ref/resource", "uri": address} for address in offer.resources),
        {"type": "ref/nosuch"},
        {},
    )
    completed = _params(
        name=_either("directory", "agent", "model", "session_id", "id", "path", "nosuch"),
        value=st.one_of(NAMED, VALUES, LONG),
    )
    task = _either(*pools.IDS, "A" * 200)
    version = _either("2025-11-25", "2025-06-18", "2024-11-05", "2026-07-28", "1.0")
    return {
        "initialize": _params(protocolVersion=version, capabilities=_either({}), clientInfo=_either({"name": "x"})),
        "server/discover": _params(),
        "ping": _params(),
        "tools/list": _params(cursor=VALUES),
        "resources/list": _params(cursor=VALUES),
        "resources/templates/list": _params(cursor=VALUES),
        "resources/read": _params(uri=uri),
        "resources/subscribe": _params(uri=uri),
        "resources/unsubscribe": _params(uri=uri),
        "prompts/list": _params(cursor=VALUES),
        "prompts/get": _params(name=prompt, arguments=st.dictionaries(TEXTS, VALUES, max_size=3)),
        "completion/complete": _params(ref=ref, argument=completed, context=_either({}, {"arguments": {}})),
        "logging/setLevel": _params(level=_either("debug", "error")),
        "tasks/get": _params(taskId=task),
        "tasks/update": _params(taskId=task, inputResponses=_either({}, {"per_1": {"action": "accept"}})),
        "tasks/cancel": _params(taskId=task),
        "tasks/list": _params(cursor=VALUES),
        "tasks/result": _params(taskId=task),
        "subscriptions/listen": _params(
            notifications=_either({}, {"resourceSubscriptions": ["opencode://sessions"]}, {"resourceSubscriptions": 5})
        ),
        "roots/list": _params(),
        "sampling/createMessage": _params(messages=VALUES),
        "elicitation/create": _params(message=VALUES),
        "nosuch/method": _params(),
        "": _params(),
    }


def _tool_call(offer: Offer) -> st.SearchStrategy[object]:
    calls = {tool["name"]: _call_params(tool["name"], arguments_of(tool["inputSchema"])) for tool in offer.tools}
    by_hand = [call for name, call in calls.items() if not name.startswith(OPERATION_PREFIX)]
    unknown = _params(name=TEXTS, arguments=VALUES)
    # There are many more operations than tools made by hand, which decide more.
    return st.one_of([*calls.values(), *by_hand * 6, unknown])


def _call_params(name: str, arguments: st.SearchStrategy[Json]) -> st.SearchStrategy[object]:
    usual = st.fixed_dictionaries({"name": st.just(name), "arguments": arguments})
    odd = st.fixed_dictionaries({"name": st.just(name)}, optional={"arguments": VALUES, "_meta": VALUES})
    return st.one_of(usual, usual, usual, usual, odd)


RAW_LINES: Sequence[bytes] = (
    b"nonsense",
    b"{",
    b'{"jsonrpc":"2.0","id":',
    b'"text"',
    b"5",
    b"null",
    b"[]",
    b"[1,2]",
    b"[[[[[]]]]]",
    b"\xff\xfe",
    b'{"jsonrpc":"2.0","method":"ping"',
    b"{'jsonrpc':'2.0'}",
    b'{"jsonrpc":"2.0",}',
    b"\x00\x00",
    b"Content-Length: 20",
    b"[" * 100_000,
    b'{"a":' * 50_000,
)
"""Lines that are no message, as bytes."""
BAD_IDS: Sequence[object] = (None, True, 0.5, [], {}, [1], {"a": 1})
NOTIFICATIONS = (
    "notifications/cancelled",
    "notifications/progress",
    "notifications/initialized",
    "notifications/roots/list_changed",
    "notifications/nosuch",
)


def drafts(offer: Offer) -> st.SearchStrategy[Draft]:
    """Every kind of message; calls of tools are most of them."""
    methods = _other_methods(offer)
    other = st.one_of([st.builds(Draft, st.just("request"), st.just(name), params) for name, params in methods.items()])
    flags = {"enveloped": st.sampled_from([True] * 19 + [False]), "text_id": st.booleans()}
    call = st.builds(Draft, st.just("request"), st.just("tools/call"), _tool_call(offer), **flags)
    notification = st.builds(Draft, st.just("notification"), st.sampled_from(NOTIFICATIONS), VALUES)
    cancel = st.builds(Draft, st.just("cancel"), params=_either({}, {"reason": "x"}))
    odd_method = st.builds(Draft, st.just("request"), VALUES, VALUES)
    odd_version = st.builds(
        Draft, st.just("request"), st.just("tools/list"), extra=st.sampled_from([{"jsonrpc": "1.0"}, {"jsonrpc": 2}])
    )
    response = st.builds(
        Draft, st.just("response"), extra=st.dictionaries(st.sampled_from(["result", "error"]), VALUES)
    )
    no_id = st.builds(Draft, st.just("no-id"), st.one_of(st.just("tools/list"), VALUES), VALUES)
    bad_id = st.builds(
        Draft, st.just("bad-id"), st.just("tools/list"), extra=st.fixed_dictionaries({"id": st.sampled_from(BAD_IDS)})
    )
    raw = st.builds(Draft, st.just("raw"), raw=st.one_of(st.sampled_from(RAW_LINES), st.binary(max_size=30)))
    weighted = [call] * 10 + [other] * 5 + [notification, cancel, odd_method, odd_version, response, no_id, bad_id, raw]
    return st.one_of(weighted)
