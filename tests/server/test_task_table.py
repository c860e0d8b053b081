"""Table of a batch: what a line names, and when the next step compares two tasks."""

from collections.abc import Sequence
from dataclasses import replace

from opencode_mcp.batch_queue.tasks import Batch, Task
from opencode_mcp.isolation.worktree_records import CheckoutChange, Worktree
from opencode_mcp.server.batches.task_table import table_result


def a_task(number: int, words: str, names: str = "", files: int = 1, answer: str = "") -> Task:
    return Task(
        batch="bat_1",
        number=number,
        status="completed",
        arguments="",
        words=words,
        session_id=f"ses_{number}",
        message_id="",
        owner="",
        attempts=1,
        stop=False,
        note="",
        files=files,
        added=3,
        removed=1,
        names=names,
        cost=0,
        seconds=0,
        verified="",
        answer=answer,
        starter="agent",
        batch_max_cost=None,
    )


def worktree_of(number: int, brought: Sequence[CheckoutChange] = (), uncommitted: int = 0) -> Worktree:
    """The worktree of a task."""
    return Worktree(
        name=f"{number}",
        repository="/p",
        git_dir="/p/.git",
        common_dir="/p/.git",
        folder=f"/state/{number}",
        inside="",
        branch=f"opencode/{number}",
        base="c0ffee",
        created=0,
        session_id=f"ses_{number}",
        brought=brought,
        uncommitted=uncommitted,
    )


def table_text(*tasks: Task, worktrees: Sequence[Worktree] = ()) -> str:
    batch = Batch(id="bat_1", created=0, parallel=2, max_cost=None, tasks=tasks, ahead=0)
    (content,) = table_result(batch, tasks, (), {one.session_id: one for one in worktrees}).content
    assert content.type == "text"
    return content.text


def test_a_line_names_the_files_if_they_are_few() -> None:
    text = table_text(a_task(1, "Fix", "a.py"), a_task(2, "Fix", "a.py\nb.py", 2), a_task(3, "Fix", "", 3))
    assert "ses_1 · a.py +3 -1" in text
    assert "ses_2 · a.py, b.py +3 -1" in text
    assert "ses_3 · 3 files +3 -1" in text


def test_a_line_of_a_short_table_has_the_beginning_of_the_answer() -> None:
    tasks = [a_task(number, "Count", answer=f"There are {number}.") for number in range(1, 12)]
    assert ' · Count · answer "There are 2."\n' in table_text(*tasks[:10])
    assert "There are" not in table_text(*tasks)


def test_two_tasks_are_compared_only_if_they_have_one_prompt() -> None:
    compares = 'opencode_diff(session_id="ses_1", compare_with="ses_2") shows'
    assert compares in table_text(a_task(1, "Fix (a/one)"), a_task(2, "Fix (b/two-2.1)"))
    assert "compare_with" not in table_text(a_task(1, "Fix it"), a_task(2, "Write tests"))


def test_isolated_tasks_are_marked_and_the_next_step_names_the_first_whose_work_was_not_brought_back() -> None:
    tasks = a_task(1, "Fix it"), a_task(2, "Write tests"), a_task(3, "Write a text")
    brought = [CheckoutChange(0, 1, "Fix it", ["a.py"])]
    text = table_text(*tasks, worktrees=[worktree_of(1, brought), worktree_of(2)])
    assert "ses_1 · isolated, brought back · " in text
    assert "ses_2 · isolated · " in text
    assert "ses_3 · 1 file" in text
    assert 'opencode_integrate(session_id="ses_2", how="apply")' in text
    text = table_text(*tasks, worktrees=[worktree_of(1, brought)])
    assert "The isolated work was brought back." in text
    assert "opencode_integrate" not in table_text(*tasks)


def test_the_next_step_brings_no_task_back_that_changed_nothing_or_failed_its_verification() -> None:
    tasks = a_task(1, "Read", files=0), replace(a_task(2, "Fix"), verified="failed"), a_task(3, "Write a text")
    text = table_text(*tasks, worktrees=[worktree_of(number) for number in (1, 2, 3)])
    assert 'opencode_integrate(session_id="ses_3", how="apply")' in text


def test_the_next_step_chooses_no_task_among_those_of_one_prompt() -> None:
    text = table_text(a_task(1, "Fix (a/one)"), a_task(2, "Fix (b/two)"), worktrees=[worktree_of(1), worktree_of(2)])
    assert "opencode_integrate with the session id of the best one brings that back" in text


def test_the_table_says_which_uncommitted_files_the_isolated_tasks_began_without() -> None:
    tasks = a_task(1, "Fix it"), a_task(2, "Write tests")
    text = table_text(*tasks, worktrees=[worktree_of(1, uncommitted=3), worktree_of(2, uncommitted=3)])
    assert "The isolated tasks began at the last commit, without 3 uncommitted files of the checkout: " in text
    assert "uncommitted" not in table_text(*tasks, worktrees=[worktree_of(1), worktree_of(2)])
