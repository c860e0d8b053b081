"""The check of the complexity of functions."""

from pathlib import Path

from scripts.check_complexity import LIMIT, too_complex


def function(name: str, complexity: int) -> str:
    conditions = " or ".join(f"x == {number}" for number in range(complexity))
    return f"def {name}(x):\n    return {conditions}\n"


def test_functions_over_the_limit_and_files_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    code = tmp_path / "code.py"
    code.write_text(function("at_limit", LIMIT) + function("over_limit", LIMIT + 1))
    broken = tmp_path / "broken.py"
    broken.write_text("def (\n")
    over, unreadable = sorted(too_complex([tmp_path]), reverse=True)
    assert over == f"{code}:3: over_limit has a complexity of {LIMIT + 1}"
    assert unreadable.startswith(f"{broken}: invalid syntax")


def test_assertions_and_test_functions_are_not_counted(tmp_path: Path) -> None:
    code = tmp_path / "code.py"
    asserting = "def helper(x):\n" + "    assert x\n" * (LIMIT + 1)
    code.write_text(asserting + function("test_long", LIMIT + 1))
    assert too_complex([tmp_path]) == []
