"""The table of differences between the generations names tests that exist."""

from tests.harness.differences import NOT_ON_2
from tests.harness.each import for_each
from tests.harness.processes.isolation import ROOT


@for_each("name", NOT_ON_2)
def test_each_test_that_does_not_run_on_opencode_2_exists(name: str) -> None:
    file, _, function = name.partition("::")
    [path] = ROOT.joinpath("tests", "integration").rglob(file)
    assert f"def {function}(" in path.read_text(encoding="utf-8")
