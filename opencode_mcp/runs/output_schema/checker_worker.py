"""The process in which a caller's schema is applied; it reads one job from stdin and writes one answer to stdout.

Started by ``checker_process.py``, which ends it after a while: a pattern such as ``^(a+)+$`` takes longer than anybody
waits, and nothing inside Python could stop it.
"""

import json
import sys
from typing import Any, TypedDict, cast

from opencode_mcp.errors import InvalidArgument
from opencode_mcp.runs.output_schema.validation import ENDLESS, check_schema, mismatch

if sys.platform != "win32":
    import resource

CPU_SECONDS = 20
"""Processor time after which the system ends this process, should nobody else do so."""
MEMORY_BYTES = 2 * 1024**3
"""Bytes of address space."""
TOO_DEEP = f"The check of output_schema was stopped: {ENDLESS}, or it and the answer are nested too deeply."


class Job(TypedDict):
    """Input of a check."""

    schema: dict[str, Any]
    checks_answer: bool
    """True to check ``answer`` against the schema; False to check the schema itself."""
    answer: Any


class Verdict(TypedDict):
    """Result of a check; both texts are empty if nothing is wrong."""

    message: str
    hint: str
    finished: bool
    """True if the check finished."""


def check(job: Job) -> Verdict:
    """Do a job."""
    if job["checks_answer"]:
        return _check_answer(job)
    try:
        check_schema(job["schema"])
    except InvalidArgument as error:
        return {"message": error.message, "hint": error.hint, "finished": True}
    return {"message": "", "hint": "", "finished": True}


def _check_answer(job: Job) -> Verdict:
    try:
        return {"message": mismatch(job["schema"], job["answer"]), "hint": "", "finished": True}
    except RecursionError:
        return {"message": TOO_DEEP, "hint": "", "finished": False}


def _limit_resources() -> None:
    if sys.platform == "win32":
        return
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    if sys.platform == "linux":
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))


def main() -> None:
    """Read a job, do it, and write the verdict."""
    _limit_resources()
    job = cast("Job", json.loads(sys.stdin.buffer.read()))
    sys.stdout.buffer.write(json.dumps(check(job)).encode())


if __name__ == "__main__":
    main()
