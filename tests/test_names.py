"""Names of modules and packages: one name for one thing, so that a search for a name finds one subject."""

from pathlib import Path

PACKAGE = Path(__file__).parents[1] / "opencode_mcp"
GENERATIONS = ("opencode/v1", "opencode/v2")
"""Two folders whose modules have the same names on purpose: each is the same part for one generation of OpenCode."""
SHARED_NAMES = {
    "adapter": "the protocol, and its implementation for each generation",
    "argument_rules": "the type of the rules, and the rules of each generation",
}
MOST_MODULES = 14
"""Modules in one folder, so that its listing can be read at a glance."""


def modules() -> list[Path]:
    """Return the path of each module inside of the package, without those of packages themselves."""
    found = (path.relative_to(PACKAGE) for path in PACKAGE.rglob("*.py"))
    return sorted(path for path in found if not path.stem.startswith("__"))


def meaning(path: Path) -> str:
    """Return the place that a name belongs to: both generations of OpenCode count as one."""
    folder = path.parent.as_posix()
    return "a generation" if folder.startswith(GENERATIONS) else folder


def test_no_two_modules_share_a_name() -> None:
    places: dict[str, set[str]] = {}
    for path in modules():
        places.setdefault(path.stem, set()).add(meaning(path))
    twice = {name: found for name, found in places.items() if len(found) > 1 and name not in SHARED_NAMES}
    assert twice == {}


def test_no_package_has_the_name_of_another_one_or_of_a_module_elsewhere() -> None:
    folders = sorted({folder for path in modules() for folder in path.parents if folder != Path()})
    names = [folder.name for folder in folders]
    assert sorted({name for name in names if names.count(name) > 1}) == []
    elsewhere = [path for path in modules() if path.stem in names and path.stem != path.parent.name]
    assert elsewhere == []


def test_a_folder_has_few_modules() -> None:
    numbers: dict[Path, int] = {}
    for path in modules():
        numbers[path.parent] = numbers.get(path.parent, 0) + 1
    assert {folder.as_posix(): number for folder, number in numbers.items() if number > MOST_MODULES} == {}
