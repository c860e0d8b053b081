"""Errors of OpenCode 2 that quote a provider's reply are reported in the provider's words, with the status once."""

import pytest

from opencode_mcp.opencode.v2.failures import NO_REASON, failure_of, reason_of
from tests.harness.each import for_each

WRAPPING = "Provider request failed with HTTP {status}: {body}"
NO_KEY = '{"error":{"message":"Incorrect API key provided.","type":"<redacted>","code":"invalid_api_key"}}'


def wrapped(status: int, body: str) -> dict[str, object]:
    return {"type": "provider.auth", "message": WRAPPING.format(status=status, body=body), "status": status}


@for_each(
    ("body", "words"),
    [
        (NO_KEY, "Incorrect API key provided."),
        ('{"message":"Too many requests"}', "Too many requests"),
        ('{"error":"model not found"}', "model not found"),
        ('{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}', "Overloaded"),
        ('[{"error":{"code":404,"message":"No such model","status":"NOT_FOUND"}}]', "No such model"),
        ('{"detail":[{"loc":["body"],"message":"field required"}]}', "field required"),
        ('{"errors":["first","second"]}', "first"),
        ('{"error":{"message":"","code":"context_length_exceeded"}}', "context_length_exceeded"),
        ('{"error":{"message":"{\\"error\\":{\\"message\\":\\"Inner words\\"}}"}}', "Inner words"),
        ('{"error":{"message":"Cut \\"in\\" the mid', 'Cut "in" the mid'),
        ('{"error":{"message":"Cut in an escape\\', "Cut in an escape"),
        ('{"error":{"code":7}}', '{"error":{"code":7}}'),
        ("upstream connect error", "upstream connect error"),
        (
            "<html><head><title>502\n Bad Gateway</title></head></html>",
            "The model's provider answered with a web page: 502 Bad Gateway.",
        ),
        ("<!DOCTYPE html><p>x", "The model's provider answered with a web page."),
        ("null", "null"),
        ("", NO_REASON),
    ],
)
def test_the_words_of_a_provider_are_the_message_and_the_status_is_reported_once(body: str, words: str) -> None:
    failure = failure_of(wrapped(401, body))
    assert failure
    assert failure.text == f"{words} (provider.auth, HTTP 401 from the model)"


def test_a_status_that_only_the_message_has_is_kept() -> None:
    error = {"type": "provider.rate-limit", "message": WRAPPING.format(status=429, body='{"message":"Slow down."}')}
    failure = failure_of(error)
    assert failure
    assert failure.text == "Slow down. (provider.rate-limit, HTTP 429 from the model)"
    assert reason_of(error) == "Slow down, HTTP 429"


def test_the_reply_may_be_beside_the_message() -> None:
    beside = {"type": "provider.auth", "message": "Provider request failed with HTTP 401", "response": {"body": NO_KEY}}
    failure = failure_of(beside)
    assert failure
    assert failure.text == "Incorrect API key provided. (provider.auth, HTTP 401 from the model)"


@pytest.mark.parametrize(
    "message",
    [
        "Model unavailable: scripted/nope",
        "Request with HTTP is no reply",
        'Expected {"message": "x"}',
        "Line 1\nLine 2",
    ],
)
def test_a_message_without_a_provider_s_reply_stays(message: str) -> None:
    failure = failure_of({"type": "provider.no-route", "message": message})
    assert failure
    assert failure.text == message
    assert reason_of({"message": message}) == message


def test_an_error_without_words_has_its_type() -> None:
    failure = failure_of({"type": "provider.internal"})
    assert failure
    assert failure.text == "provider.internal"
    assert reason_of({}) == ""
    assert reason_of({"status": 500}) == "HTTP 500"
