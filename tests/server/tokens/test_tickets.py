"""A ticket is good once, and for what it was issued."""

from opencode_mcp.server.tokens.tickets import KEPT_TICKETS, Tickets


def test_a_ticket_is_good_for_its_purpose_and_only_once() -> None:
    tickets = Tickets()
    ticket = tickets.issue("a")
    assert tickets.redeem(ticket, "a")
    assert not tickets.redeem(ticket, "a")


def test_a_ticket_is_used_up_also_by_another_purpose() -> None:
    tickets = Tickets()
    ticket = tickets.issue("a")
    assert not tickets.redeem(ticket, "b")
    assert not tickets.redeem(ticket, "a")


def test_no_ticket_of_other_tickets_and_nothing_else_is_good() -> None:
    tickets = Tickets()
    for ticket in (Tickets().issue("a"), None, 1, ""):
        assert not tickets.redeem(ticket, "a")


def test_a_bounded_number_of_tickets_is_kept() -> None:
    tickets = Tickets()
    oldest, *others = [tickets.issue("a") for _ in range(KEPT_TICKETS + 1)]
    assert not tickets.redeem(oldest, "a")
    assert all(tickets.redeem(ticket, "a") for ticket in others)
