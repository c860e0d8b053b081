"""Checks a caller's schema, and an answer against it, in a process that is ended when it takes too long.

Nothing that a schema can do blocks the bridge, and a check that cannot be finished is reported as such: by then the run
has happened, and its report must come all the same.
"""

import json
import sys
from collections.abc import Mapping
from subprocess import CalledProcessError
from typing import TYPE_CHECKING, Any, cast

import anyio

from opencode_mcp.errors import InvalidArgument
from opencode_mcp.processes.fed_program import run_fed

if TYPE_CHECKING:
    from opencode_mcp.runs.output_schema.checker_worker import Job, Verdict

CHECK_SECONDS = 10.0
"""Time that a check may take, including the start of the process."""
# -P: Python would look for modules in the working directory first, and that is a project of anybody's.
COMMAND = (sys.executable, "-P", "-m", "opencode_mcp.runs.output_schema.checker_worker")


async def check_schema_apart(schema: Mapping[str, Any]) -> None:
    """Refuse what is no JSON Schema of an object, as ``output_schema.check_schema`` does.

    Raises:
        InvalidArgument: The text says what is wrong with it, or that the check could not be finished.
    """
    verdict = await _check({"schema": dict(schema), "checks_answer": False, "answer": None})
    if verdict["message"]:
        raise InvalidArgument(verdict["message"], hint=verdict["hint"])


async def mismatch_apart(schema: Mapping[str, Any], answer: object) -> str:
    """Say how an answer breaks the schema, or that this could not be found out; empty when it fits."""
    verdict = await _check({"schema": dict(schema), "checks_answer": True, "answer": answer})
    if verdict["message"] and verdict["finished"]:
        return f"The answer does not fit output_schema. {verdict['message']}"
    return verdict["message"]


async def _check(job: "Job") -> "Verdict":
    try:
        text = json.dumps(job).encode()
        with anyio.fail_after(CHECK_SECONDS):
            done = await run_fed(COMMAND, text)
        done.check_returncode()
        return cast("Verdict", json.loads(done.stdout))
    except TimeoutError:
        return _unfinished(f"took more than {CHECK_SECONDS:.0f} s", "Simplify its patterns and references.")
    except (RecursionError, CalledProcessError):
        return _unfinished("needs more than it may use", "Make it smaller and less deep.")
    except (OSError, ValueError) as error:
        return _unfinished(f"could not be run: {error}", "")


def _unfinished(why: str, hint: str) -> "Verdict":
    return {"message": f"The check of output_schema {why}.", "hint": hint, "finished": False}
