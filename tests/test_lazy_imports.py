"""Lazy imports: what is executed when, and that a lazy module behaves like any other once it is used."""

import importlib
import inspect
import subprocess
import sys
import threading
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType

import pytest

from opencode_mcp import lazy_imports
from opencode_mcp.lazy_imports import LAZY, LazyModule
from tests.harness.processes.executed import is_executed
from tests.harness.processes.isolation import basics

ROOT = Path(__file__).parent.parent
NAME = "lazy_example"
LISTING = """
from opencode_mcp.settings import Settings
from opencode_mcp.lazy_imports import FOR_CALLS
from opencode_mcp.server.app import build_server
from opencode_mcp.server.stdio.serve_stdio import serve_stdio
from tests.harness.processes.executed import is_executed
build_server(Settings())
print(*sorted(filter(is_executed, {*FOR_CALLS, "httpx", "httpx_sse"})))
"""


@pytest.fixture
def example(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The file of a module that is lazy during the test."""
    path = tmp_path / f"{NAME}.py"
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    monkeypatch.setattr(lazy_imports, "LAZY", frozenset({NAME}))
    yield path
    sys.modules.pop(NAME, None)


def imported() -> ModuleType:
    return importlib.import_module(NAME)


def test_listing_the_tools_executes_no_lazy_module() -> None:
    done = subprocess.run(  # noqa: S603 - the test's own program
        [sys.executable, "-c", LISTING], cwd=ROOT, env=basics(), capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.split() == [], "import these as modules, not names of them: see lazy_imports.py"


def test_every_lazy_module_exists() -> None:
    assert [name for name in sorted(LAZY) if find_spec(name) is None] == []


def test_a_lazy_module_is_executed_once_when_a_name_is_read(example: Path) -> None:
    example.write_text("RUNS = []\nRUNS.append(1)\nVALUE = 7\n")
    module = imported()
    assert not is_executed(NAME)
    assert module.VALUE == 7
    assert is_executed(NAME)
    assert imported() is module
    assert (module.RUNS, type(module)) == ([1], ModuleType)
    assert Path(str(module.__file__)) == example


def test_looking_for_what_every_module_has_executes_nothing(example: Path) -> None:
    example.write_text("VALUE = 7\n")
    module = imported()
    assert isinstance(module, LazyModule)
    assert not hasattr(module, "__path__")
    assert inspect.getsourcefile(module) == str(example)
    assert not is_executed(NAME)


def test_a_name_that_is_not_there_is_an_attribute_error_as_in_any_module(example: Path) -> None:
    example.write_text("VALUE = 7\n")
    with pytest.raises(AttributeError, match="nothing_like_it"):
        _ = imported().nothing_like_it


def test_a_module_that_fails_is_tried_again(example: Path) -> None:
    example.write_text("raise ImportError('not yet')\n")
    module = imported()
    with pytest.raises(ImportError, match="not yet"):
        _ = module.VALUE
    assert not is_executed(NAME)
    example.write_text("VALUE = 'now it is there'\n")
    assert module.VALUE == "now it is there"


def test_threads_that_use_it_at_once_execute_it_once_and_all_see_it_whole(example: Path) -> None:
    example.write_text("import time\nRUNS = [1]\ntime.sleep(0.05)\nLAST = 'whole'\n")
    module = imported()
    seen: list[str] = []
    threads = [threading.Thread(target=lambda: seen.append(module.LAST)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=20)
    assert seen == ["whole"] * 4
    assert module.RUNS == [1]


def test_the_finder_is_installed_once() -> None:
    before = [*sys.meta_path]
    lazy_imports.install()
    assert sys.meta_path == before
