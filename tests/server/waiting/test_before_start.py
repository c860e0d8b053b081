"""An error of a call that starts work says that nothing was started, unless something was."""

import pytest

from opencode_mcp.errors import BackendTimeout, NotFound
from opencode_mcp.server.results.render import NOTHING_STARTED, explain
from opencode_mcp.server.waiting.call_deadlines import before_start


def test_an_error_before_the_start_says_that_nothing_was_started() -> None:
    with pytest.raises(NotFound) as refused, before_start():
        raise NotFound("There is no model 'x'.", hint="These would work: y.")
    assert explain(refused.value) == f"There is no model 'x'. These would work: y. {NOTHING_STARTED}"


def test_an_error_after_the_start_does_not_say_so() -> None:
    late = BackendTimeout("OpenCode did not answer.")
    late.started = True
    with pytest.raises(BackendTimeout) as failed, before_start():
        raise late
    assert NOTHING_STARTED not in explain(failed.value)
    assert NOTHING_STARTED not in explain(BackendTimeout("OpenCode did not answer."))
