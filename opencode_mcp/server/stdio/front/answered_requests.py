"""Requests that the front has answered: the SDK's responses to them are checked and dropped, new ones are saved."""

import json
import logging
from typing import cast

from opencode_mcp.errors import InvalidSetting
from opencode_mcp.secrets.own_passwords import KNOWN_SECRETS
from opencode_mcp.server.stdio.front.request_keys import RequestKeys
from opencode_mcp.server.stdio.front.takeover import Takeover
from opencode_mcp.text.json_types import JsonObject

logger = logging.getLogger(__name__)


class AnsweredRequests:
    """Requests of a connection whose responses may be saved, or were given by the front.

    Args:
        takeover: State that the front passes on.
    """

    def __init__(self, takeover: Takeover) -> None:
        self._given = dict(takeover.given)
        self._responses = takeover.responses
        self._request_keys = RequestKeys(takeover.fingerprint)
        self._keys: dict[object, str] = {}
        """Keys of requests that the SDK has not answered yet, by id."""

    def note(self, message: JsonObject) -> None:
        """Take a message on its way to the SDK."""
        if self._request_keys.ended or self._responses is None:
            return
        # A host may use the id of a cancelled request again.
        self._keys.pop(message.get("id"), None)
        if key := self._request_keys.key_of(message):
            self._keys[message["id"]] = key

    def drops(self, message: JsonObject) -> bool:
        """Return True if a message of the SDK's must not reach the host, since its request is already answered."""
        request_id = message.get("id")
        if "method" in message or not isinstance(request_id, str) or request_id not in self._given:
            return False
        given = self._given.pop(request_id)
        if message.get("result") != given:
            method = self._keys.get(request_id, "").rpartition("-")[0]
            logger.warning("the host got a saved response that is out of date: %s", method)
            self.save(message)
        self._keys.pop(request_id, None)
        return True

    def save(self, message: JsonObject) -> None:
        """Save the response in a message of the SDK's, if it is one that the next start needs."""
        if "method" in message or not self._keys:
            return
        key = self._keys.pop(message.get("id"), "")
        result = message.get("result")
        if not key or self._responses is None or not isinstance(result, dict):
            return
        if KNOWN_SECRETS.found_in(json.dumps(result, ensure_ascii=False)):
            return
        try:
            self._responses.save(key, cast("JsonObject", result))
        except (OSError, InvalidSetting) as error:
            logger.info("the next start will be slower, since a response cannot be saved: %s", error)
