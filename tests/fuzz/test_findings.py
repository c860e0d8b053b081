"""The fuzz notices what it is there to notice, and draws the same messages from the same seed."""

from dataclasses import replace

from tests.fuzz.campaign import drawn
from tests.fuzz.drafts import Draft, Offer, drafts
from tests.fuzz.findings import surplus, unanswered, unsayable
from tests.fuzz.pools import raw
from tests.fuzz.shots import Shot, shots_of
from tests.harness.bridges.rawrpc import MODERN, Host

LISTING = Draft("request", "tools/list", {})
UNREADABLE = Draft("raw", raw=b"nonsense")
OFFER = Offer(
    [{"name": "opencode_wait", "inputSchema": {"properties": {"wait_seconds": {"type": "number"}}}}],
    ["opencode://sessions"],
    ["delegate"],
)
PLACES = {"project": "/p", "outside": "/o", "session": "ses_1", "foreign": "ses_2"}


def fired(*sent: Draft, host: Host | None = None) -> list[Shot]:
    return shots_of(sent, host or Host(), PLACES, first=1)


def test_the_same_seed_draws_the_same_messages() -> None:
    strategy = drafts(OFFER)
    assert drawn(strategy, 7, 50) == drawn(strategy, 7, 50)
    assert drawn(strategy, 7, 50) != drawn(strategy, 8, 50)


def test_a_request_is_owed_one_answer_and_an_unreadable_line_an_error_without_id() -> None:
    shots = fired(LISTING, UNREADABLE)
    assert unanswered(shots, []) == shots
    assert unanswered(shots, [{"id": 1, "result": {}}]) == [shots[1]]
    assert unanswered(shots, [{"id": 1, "result": {}}, {"id": None, "error": {}}]) == []


def test_a_request_that_may_be_unreadable_is_owed_either() -> None:
    shots = fired(Draft("request", "tools/list", {"cursor": raw("nan")}))
    assert b'"cursor": NaN' in shots[0].line
    assert unanswered(shots, [{"id": 1, "error": {}}]) == []
    assert unanswered(shots, [{"id": None, "error": {}}]) == []
    assert unanswered(shots, []) == shots


def test_a_request_that_is_cancelled_is_owed_nothing() -> None:
    shots = fired(LISTING, Draft("cancel", params={}))
    assert unanswered(shots, []) == []
    assert b'"requestId": 1' in shots[1].line


def test_a_second_answer_an_answer_to_nothing_and_a_surplus_error_are_found() -> None:
    shots = fired(LISTING)
    answer: dict[str, object] = {"id": 1, "result": {}}
    assert surplus(shots, [answer]) == []
    assert [finding.what for finding in surplus(shots, [answer, answer])] == ["answered twice"]
    assert [finding.what for finding in surplus(shots, [answer, {"id": 9, "result": {}}])] == ["an answer to nothing"]
    assert len(surplus(shots, [answer, {"id": None, "error": {}}])) == 1


def test_a_secret_a_crash_and_an_error_without_a_meaning_are_found() -> None:
    shots = fired(LISTING)
    for result, what in (
        ({"id": 1, "result": "it is hush"}, "sent a secret"),
        ({"id": 1, "result": "opencode_run failed inside this MCP server"}, "a crash"),
        ({"id": 1, "error": {"code": 0}}, "an error of code 0"),
    ):
        (finding,) = unsayable(shots, [result], {"a secret": "hush"})
        assert (finding.what, finding.shot) == (what, shots[0])


def test_places_are_filled_in_and_only_the_era_without_handshake_has_envelopes() -> None:
    draft = Draft("request", "tools/call", {"name": "x", "arguments": {"path": "{outside}/secret.txt"}})
    (old,) = fired(draft)
    assert b'"/o/secret.txt"' in old.line
    assert b"_meta" not in old.line
    (modern,) = fired(draft, host=Host(protocol=MODERN))
    assert b'"_meta"' in modern.line
    (bare,) = fired(replace(draft, enveloped=False), host=Host(protocol=MODERN))
    assert b"_meta" not in bare.line
