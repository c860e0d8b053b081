"""The note that a session's metadata carries for OpenCode 1."""

from opencode_mcp.opencode.v1.session_note import fork_metadata, renamed_metadata, session_of
from opencode_mcp.opencode.vocabulary.wire.session_objects import Session

FORK = {"id": "ses_fork", "title": "A (fork #1)", "cost": 0.3, "tokens": {"input": 300, "output": 20, "reasoning": 1}}


def test_a_fork_with_a_note_counts_only_what_it_spent_itself() -> None:
    metadata = fork_metadata(Session.read(FORK), "ses_source")
    later = {**FORK, "cost": 0.5, "tokens": {"input": 400, "output": 25, "reasoning": 1}, "metadata": metadata}
    session = session_of(later)
    assert round(session.cost or 0, 9) == 0.2
    assert (session.tokens.input, session.tokens.output, session.tokens.reasoning) == (100, 5, 0)
    assert (session.forked_from, session.counts_copies) == ("ses_source", False)


def test_a_renamed_fork_with_a_note_is_still_known_as_one() -> None:
    metadata = fork_metadata(Session.read(FORK), "ses_source")
    renamed = renamed_metadata(Session.read({**FORK, "metadata": metadata}), 5000)
    session = session_of({**FORK, "title": "Mine", "metadata": renamed, "time": {"updated": 1}})
    assert (session.cost, session.forked_from, session.changed) == (0, "ses_source", 5000)


def test_a_fork_that_carries_the_note_of_its_source_is_not_taken_for_that() -> None:
    metadata = fork_metadata(Session.read(FORK), "ses_source")
    session = session_of({**FORK, "id": "ses_second", "metadata": metadata})
    assert (session.cost, session.forked_from, session.counts_copies) == (0.3, "", True)


def test_only_the_title_shows_a_fork_of_another_client() -> None:
    assert session_of(FORK).counts_copies
    assert not session_of({**FORK, "title": "Talk about (fork #1) of it"}).counts_copies


def test_a_note_of_another_form_costs_nothing() -> None:
    notes: list[object] = ["x", 1, None, [], {"session": "ses_fork", "from": 1}, {"session": "ses_fork", "renamed": ""}]
    for note in notes:
        session = session_of({**FORK, "metadata": {"opencode-mcp-session": note}})
        assert (session.cost, session.renamed) == (0.3, 0)
    odd = {"session": "ses_fork", "from": "ses_a", "cost": "much", "tokens": {"input": 10**9}}
    session = session_of({**FORK, "metadata": {"opencode-mcp-session": odd}})
    assert (session.cost, session.tokens.input) == (0.3, 0)


def test_what_else_the_metadata_holds_stays() -> None:
    session = Session.read({**FORK, "metadata": {"mine": 1}})
    assert fork_metadata(session, "ses_source")["mine"] == 1
    assert renamed_metadata(session, 1)["mine"] == 1
