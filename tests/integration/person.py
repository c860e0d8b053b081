"""A person in front of a host: answers forms as the test says, and remembers them."""

from typing import Any, cast

import anyio
from mcp.client.context import ClientRequestContext
from mcp_types import ElicitRequestFormParams, ElicitRequestParams, ElicitResult

DECLINED = ElicitResult(action="decline")
CANCELLED = ElicitResult(action="cancel")


def filled(**content: str | list[str]) -> ElicitResult:
    """A form as a person sends it."""
    return ElicitResult(action="accept", content=dict(content))


class Person:
    """Answers one form after another; with no answer left, it never returns.

    Args:
        answers: In order.
    """

    def __init__(self, *answers: ElicitResult) -> None:
        self._answers = list(answers)
        self.forms: list[ElicitRequestFormParams] = []
        self.asked = anyio.Event()
        """Set once the first form is shown."""

    async def __call__(self, context: ClientRequestContext, params: ElicitRequestParams) -> ElicitResult:
        """Answer a form."""
        del context
        assert isinstance(params, ElicitRequestFormParams)
        self.forms.append(params)
        self.asked.set()
        if not self._answers:
            await anyio.sleep_forever()
        return self._answers.pop(0)

    def fields(self) -> dict[str, dict[str, Any]]:
        """The fields of the last form."""
        return cast("dict[str, dict[str, Any]]", self.forms[-1].requested_schema["properties"])


class Chair:
    """The place in front of a host that several tests share: the person of the present test is asked."""

    def __init__(self) -> None:
        self.person: Person | None = None

    async def __call__(self, context: ClientRequestContext, params: ElicitRequestParams) -> ElicitResult:
        """Pass a form on."""
        assert self.person, "a form came while nobody was expected to be asked"
        return await self.person(context, params)
