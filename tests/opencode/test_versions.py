"""Versions that are refused, and versions that are noted as untested."""

import pytest

from opencode_mcp.errors import UnsupportedVersion
from opencode_mcp.opencode.operation_catalog.catalog import TABLES
from opencode_mcp.opencode.versions import (
    NEWEST,
    OLDEST,
    OLDEST_TESTED,
    Generation,
    check_version,
    describe_tested,
    is_untested,
    printed_version,
    versions_supported,
)
from scripts import opencode_binary
from tests.harness.each import for_each
from tests.harness.processes.isolation import ROOT


@for_each("version", ["1.0.185", "1.2.27", "1.3.2", "1.13.99", "0.9.1", "v1.13.0", "1.13.5-beta.1"])
def test_a_version_that_is_too_old_is_refused_with_those_that_work_and_what_to_do(version: str) -> None:
    with pytest.raises(UnsupportedVersion) as refused:
        check_version(version)
    assert version in refused.value.message
    assert versions_supported() in refused.value.message
    assert "opencode upgrade" in refused.value.hint


@for_each("version", ["1.14", "1.14.41", "1.18.33", "1.100.0", "2.0.0", "0.0.0-dev-202511", "local", ""])
def test_a_version_that_is_new_enough_or_not_numbered_is_accepted(version: str) -> None:
    check_version(version)


@pytest.mark.parametrize("version", ["0.0.0-next-16350", "v0.0.0-next"])
def test_a_preview_of_opencode_2_is_refused_as_such(version: str) -> None:
    with pytest.raises(UnsupportedVersion, match="preview of OpenCode 2"):
        check_version(version)


@pytest.mark.parametrize(
    ("version", "major"), [("1.999.0", 1), ("2.2.0", 2), ("3.0.0", 2), ("0.0.0-dev", 1), ("local", 1)]
)
def test_a_version_that_is_newer_than_the_tested_ones_is_untested(version: str, major: Generation) -> None:
    assert is_untested(version, major)


@pytest.mark.parametrize(
    ("version", "major"), [(OLDEST, 1), ("1.17.18", 1), (NEWEST[1], 1), ("2.0.19", 2), (NEWEST[2], 2)]
)
def test_a_version_between_the_oldest_and_the_newest_tested_one_is_tested(version: str, major: Generation) -> None:
    assert not is_untested(version, major)


@pytest.mark.parametrize(
    ("version", "major", "said"),
    [
        ("1.18.33", 1, f"OpenCode {OLDEST_TESTED} to 1.18.33"),
        ("1.19.0", 1, f"OpenCode {OLDEST_TESTED} to 1.18.33; this one is newer"),
        ("2.1.2", 2, "the published API of OpenCode 2.1.2, not with a released OpenCode 2"),
        ("2.2.0", 2, "the published API of OpenCode 2.1.2, not with a released OpenCode 2; this one is newer"),
    ],
)
def test_what_was_tested_is_reported_for_each_generation(version: str, major: Generation, said: str) -> None:
    assert describe_tested(version, major) == said


@for_each(
    ("line", "major", "version"),
    [
        ("1.18.33", 1, "1.18.33"),
        ("2.1.2\n", 2, "2.1.2"),
        ("opencode v2.0.19", 2, "2.0.19"),
        ("opencode2 2.1.2", 2, "2.1.2"),
        ("opencode2 v0.0.0-next-16350", 2, "0.0.0-next-16350"),
        ("v3.0.0", 2, "3.0.0"),
        ("0.0.0-dev-202511", 1, "0.0.0-dev-202511"),
        ("local", 1, "local"),
        ("", 1, ""),
    ],
)
def test_the_generation_is_read_from_what_an_executable_prints(line: str, major: Generation, version: str) -> None:
    assert printed_version(line) == (major, version)


def test_the_newest_tested_versions_are_those_that_the_tables_were_made_from() -> None:
    assert {generation: table.version for generation, table in TABLES.items()} == NEWEST


def test_the_oldest_tested_version_is_the_one_that_is_installed_for_the_tests() -> None:
    assert opencode_binary.OLDEST == OLDEST_TESTED
    assert OLDEST_TESTED.startswith(f"{OLDEST}.")


def test_the_readme_names_the_oldest_and_the_newest_tested_version() -> None:
    readme = " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())
    assert f"OpenCode 1 ({OLDEST_TESTED} to {NEWEST[1]} are tested)" in readme
    assert f"OpenCode 2 (with the API of {NEWEST[2]})" in readme
