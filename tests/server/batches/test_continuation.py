"""Changes of all prompts of a task together."""

from opencode_mcp.runs.outcome.reported_files import NOT_SHOWN
from opencode_mcp.runs.outcome.run_report import ChangedFile, RunReport
from opencode_mcp.server.batches.continuation import Done


def report(*files: ChangedFile) -> RunReport:
    return RunReport.model_construct(files=list(files), cost=0.5, seconds=2)


def changed(path: str, added: int, removed: int = 0, change: str = "modified") -> ChangedFile:
    return ChangedFile(path=path, change=change, added=added, removed=removed)


def test_the_lines_of_all_prompts_are_added() -> None:
    done = Done().with_run(report(changed("a", 2))).with_run(report(changed("a", 1, 3), changed("b", 4)))
    assert (done.lines, done.cost, done.seconds) == ((7, 3), 1.0, 4)


def test_no_lines_are_reported_if_those_of_one_file_are_not_known() -> None:
    done = Done().with_run(report(changed("a", 0, change=NOT_SHOWN), changed("b", 4)))
    assert done.lines == (0, 0)
    assert done.with_run(report(changed("a", 1))).lines == (0, 0)
    assert list(done.files) == ["a", "b"]
