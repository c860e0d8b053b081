"""The fixture for all tests of the front."""

import pytest

from opencode_mcp.secrets.own_passwords import KnownSecrets
from opencode_mcp.server.stdio.front import answered_requests


@pytest.fixture(autouse=True)
def no_passwords_of_other_tests(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forget the passwords that other tests used in this process: a response with one of them would not be saved."""
    monkeypatch.setattr(answered_requests, "KNOWN_SECRETS", KnownSecrets())
