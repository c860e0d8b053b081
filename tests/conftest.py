"""The fixtures for every test: one scripted model and one OpenCode for the whole run, a project for each test."""

import gc
import os
import re
import signal
import sys
from collections.abc import Generator, Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import cast
from zlib import crc32

import pytest

from opencode_mcp.opencode.versions import Generation
from opencode_mcp.processes.garbage_collector import collector_paused
from tests.harness.bridges.bridge import Era, OpenBridge, open_bridge
from tests.harness.bridges.forked import fork_server
from tests.harness.bridges.launch import Launch, attaching, end_left_server, starting
from tests.harness.bridges.rawrpc import OpenRaw, open_raw
from tests.harness.bridges.transport import USUAL, Transport
from tests.harness.differences import difference_of
from tests.harness.opencode2.fixtures import engine_folder, opencode2, opencode2_environment, shared_project
from tests.harness.processes.isolation import environment, without_snapshots
from tests.harness.processes.leftovers import leftovers_ended
from tests.harness.project import OF_MODULE, make_project
from tests.harness.servers.model import ScriptedModel, running_model
from tests.harness.servers.opencode import OpenCode, running_opencode

__all__ = ["engine_folder", "opencode2", "opencode2_environment", "shared_project"]
"""Fixtures for the tests that need an OpenCode 2."""
FAST = "not integration"
"""The marks that `make fast` selects by."""
NEEDS_OPENCODE = re.compile(r"^pytestmark = (\[[^\]]*)?pytest\.mark\.integration\b", re.MULTILINE)
"""Matches the source of a module all of whose tests need OpenCode."""
EXAMPLES = 25
"""Examples of a property in an ordinary run; `make attack` tries four times as many, Hypothesis' own number."""
FEW_EXAMPLES = 5
"""Examples of a property in `make fast`."""
REAL = frozenset({"opencode_environment", "opencode_server", "opencode2"})
"""Fixtures that start a real OpenCode."""
ERAS: tuple[Era, ...] = ("2025", "2026")
TRANSPORTED = re.compile(r"test_(runs|asking|tasks|resources|subscriptions|bad_input)\.py")
"""Modules whose tests may run over HTTP."""
ONE_IN_HTTP = 10
"""One in so many of their tests runs over HTTP instead of stdio in an ordinary run."""
ONE_IN = 10
"""One in so many tests for both generations runs on OpenCode 2 in an ordinary run."""
SELDOM = (20_000, 20, 20)
"""Thresholds of the garbage collector: objects until the next collection, and collections until a wider one."""
PRINTED = 4000
"""Characters of each log that a failure shows."""


def pytest_xdist_auto_num_workers() -> int:
    """Two more than there are processors, since the tests wait for half of their time: for processes and timeouts."""
    return (os.cpu_count() or 1) + 2


RUNNING = ExitStack()
"""Context managers of the servers that the whole run shares."""
SERVERS: list[OpenCode] = []
"""The run's OpenCode 1, once a test has needed it."""


def pytest_sessionstart() -> None:
    """Let bridges start without importing anything, and no process outlive the run; forget the user's settings."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        # A background job of a shell without job control ignores it, and what it starts would, too.
        signal.signal(signal.SIGINT, signal.default_int_handler)
    RUNNING.enter_context(leftovers_ended())
    RUNNING.callback(fork_server.stop)
    fork_server.enabled = sys.platform == "linux"
    for name in [name for name in os.environ if name.startswith("OPENCODE")]:
        del os.environ[name]


@pytest.hookimpl(wrapper=True)
def pytest_collection(session: pytest.Session) -> Generator[None, object, object]:
    """Exempt what is imported from garbage collection, and collect seldom: it takes a tenth of the time of a run.

    What hands the tests out to workers (``dist``) runs none itself, and so it imports no Hypothesis.
    """
    gc.set_threshold(*SELDOM)
    runs_tests = session.config.getoption("dist") == "no"
    if runs_tests and not session.config.getoption("--hypothesis-profile"):
        # Before the modules are imported, whose properties take over the number with settings of their own.
        _try_fewer_examples(FEW_EXAMPLES if session.config.getoption("markexpr") == FAST else EXAMPLES)
    with collector_paused():
        return (yield)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish() -> None:
    """End what served the whole run, after the fixtures."""
    RUNNING.close()


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave out of `make fast` each module that needs OpenCode, without an import of it, which takes long."""
    if config.getoption("markexpr") != FAST or not collection_path.match("test_*.py"):
        return None
    return bool(NEEDS_OPENCODE.search(collection_path.read_text(encoding="utf-8"))) or None


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what needs OpenCode, and begin with the longest tests, so that at the end no worker is left with them."""
    for item in items:
        if REAL.intersection(getattr(item, "fixturenames", ())):
            item.add_marker("integration")
    items.sort(key=lambda item: item.get_closest_marker("long") is None)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test in the protocol eras and on the generations of OpenCode that its subject depends on.

    Without the mark ``both_eras`` a test has one era. With the mark ``either_era`` it has one in an ordinary run, and
    both in ``make eras``. With the mark ``both_generations`` it runs on OpenCode 2 too, in one era, unless
    ``differences.NOT_ON_2`` says why it cannot. An ordinary run takes a part of these cases, always the same; ``make
    both`` takes all of them.
    """
    own = _era_by_name(metafunc.function.__module__)
    eras = ERAS if _runs_in_both_eras(metafunc) else (own,)
    cases = [pytest.param(era, 1) for era in eras]
    generations = [pytest.param(1)]
    if _runs_on_2(metafunc):
        cases.append(pytest.param(own, 2, marks=pytest.mark.on_opencode2))
        generations.append(pytest.param(2, marks=pytest.mark.on_opencode2))
    values = {"era": eras, "opencode_generation": generations, "era,opencode_generation": cases}
    names = ",".join(name for name in ("era", "opencode_generation") if name in metafunc.fixturenames)
    if names:
        metafunc.parametrize(names, values[names], indirect=True)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options of ``make eras``, ``make both`` and ``make http``."""
    parser.addoption("--all-eras", action="store_true", help="Run every test for either era in both")
    parser.addoption("--all-generations", action="store_true", help="Run every test for both generations on OpenCode 2")
    parser.addoption("--over-http", action="store_true", help="Run every test that can over HTTP instead of stdio")


def _runs_in_both_eras(metafunc: pytest.Metafunc) -> bool:
    """Return True if a test runs in both eras in this run; its own mark ``either_era`` goes before that of a module."""
    if metafunc.definition.get_closest_marker("either_era"):
        return bool(metafunc.config.getoption("all_eras"))
    return metafunc.definition.get_closest_marker("both_eras") is not None


def _runs_on_2(metafunc: pytest.Metafunc) -> bool:
    """Return True if a test runs on OpenCode 2 in this run: a case there takes two seconds of processor time."""
    if not metafunc.definition.get_closest_marker("both_generations") or difference_of(metafunc.definition.nodeid):
        return False
    chosen = crc32(metafunc.function.__name__.encode()) % ONE_IN == 0
    return chosen or bool(metafunc.config.getoption("all_generations"))


def _era_by_name(name: str) -> Era:
    """Choose an era for the tests of a module that need only one, so that they share a bridge."""
    return ERAS[crc32(name.encode()) % len(ERAS)]


def _try_fewer_examples(number: int) -> None:
    """Set how many examples the properties get that do not say so themselves, and that a busy machine fails none."""
    from hypothesis import HealthCheck, settings

    settings.register_profile(
        "ordinary", parent=settings(), max_examples=number, deadline=None, suppress_health_check=[HealthCheck.too_slow]
    )
    settings.load_profile("ordinary")


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Function) -> None:
    """Set the transport of the bridges that fixtures start, which several tests may share."""
    USUAL.transport = _transport_of(item) if item.config.getoption("over_http") else "stdio"


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_call(item: pytest.Function) -> None:
    """Set the transport of the bridges that the test itself starts."""
    USUAL.transport = _transport_of(item)


def _transport_of(item: pytest.Function) -> Transport:
    """Choose HTTP for a part of the tests that can take it, always the same; ``make http`` takes all of them."""
    if not TRANSPORTED.fullmatch(item.path.name) or item.get_closest_marker("stdio"):
        return "stdio"
    chosen = crc32(item.originalname.encode()) % ONE_IN_HTTP == 1
    return "http" if chosen or item.config.getoption("over_http") else "stdio"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Function) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show with a failure what the processes behind it printed last."""
    report = yield
    if report.failed:
        folders = [item.funcargs.get("tmp_path"), item.funcargs.get("run_folder")]
        logs = [log for folder in folders if isinstance(folder, Path) for log in sorted(folder.glob("*.log"))]
        for log in logs:
            printed = log.read_text(encoding="utf-8", errors="replace")
            report.sections.append((f"The end of {log}", printed[-PRINTED:]))
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Show why each test that got another try failed: a test that passes then may still have found a fault."""
    reports = cast("dict[str, list[pytest.TestReport]]", terminalreporter.stats)
    for report in reports.get("rerun", []):
        terminalreporter.write_sep("_", f"Failed before another try: {report.nodeid}")
        terminalreporter.write_line(report.longreprtext[-PRINTED:])


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
def run_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder for the files of the shared processes; their ``*.log`` hold the output."""
    return tmp_path_factory.mktemp("run")


@pytest.fixture(scope="session")
def scripted_model(run_folder: Path) -> Iterator[ScriptedModel]:
    with running_model(run_folder / "model.log") as model:
        yield model


@pytest.fixture(scope="session")
def opencode_environment(run_folder: Path, scripted_model: ScriptedModel) -> dict[str, str]:
    """The isolation of the run's OpenCode, also for a bridge that starts its own."""
    variables = environment(run_folder, scripted_model.url)
    without_snapshots(variables)
    return variables


@pytest.fixture(scope="session")
def opencode1(run_folder: Path, opencode_environment: dict[str, str]) -> Iterator[OpenCode]:
    """One real OpenCode 1 for the whole run."""
    with running_opencode(opencode_environment, run_folder / "opencode.log") as server:
        SERVERS.append(server)
        yield server
        SERVERS.clear()


@pytest.fixture(scope="module", autouse=True)
def closed_projects() -> Iterator[None]:
    """Have the run's OpenCode 1 close the projects of a module after its tests.

    Each open project makes the garbage collector of OpenCode slower: with fifty, a prompt takes a third more time.
    """
    yield
    for server in SERVERS:
        for directory in filter(Path.is_dir, OF_MODULE):
            server.unload(directory)
    OF_MODULE.clear()


@pytest.fixture(scope="package")
def opencode_generation(request: pytest.FixtureRequest) -> Generation:
    """The generation of a test's OpenCode; see ``pytest_generate_tests``."""
    return cast("Generation", request.param)


@pytest.fixture(scope="package")
def opencode_server(request: pytest.FixtureRequest, opencode_generation: Generation) -> OpenCode:
    """The run's OpenCode of a test's generation; a test that kills one starts its own."""
    return cast("OpenCode", request.getfixturevalue(f"opencode{opencode_generation}"))


@pytest.fixture(autouse=True)
def no_holds_of_another_test(request: pytest.FixtureRequest) -> None:
    """Keep the hold points of other tests, and of an earlier try of the same one, out of a test."""
    if "scripted_model" in request.fixturenames:
        cast("ScriptedModel", request.getfixturevalue("scripted_model")).forget_holds()


@pytest.fixture
def project(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Path]:
    """A git repository with a few files, of this test alone."""
    server = None
    if "opencode_server" in request.fixturenames:
        server = cast("OpenCode", request.getfixturevalue("opencode_server"))
    directory = tmp_path / "project"
    directory.mkdir()
    yield make_project(directory)
    OF_MODULE.discard(directory)
    if server:
        server.unload(directory)


@pytest.fixture
def era(request: pytest.FixtureRequest) -> Era:
    """The protocol era of a test's host; see ``pytest_generate_tests``."""
    return cast("Era", request.param)


@pytest.fixture
def launch(tmp_path: Path, scripted_model: ScriptedModel, opencode_server: OpenCode, project: Path) -> Launch:
    """A bridge at the run's OpenCode, fenced into ``project``."""
    return attaching(tmp_path, scripted_model, opencode_server, project)


@pytest.fixture
def own_launch(tmp_path: Path, scripted_model: ScriptedModel, project: Path) -> Iterator[Launch]:
    """A bridge, fenced into ``project``, that starts an OpenCode by itself; what it leaves is ended."""
    launch = starting(tmp_path, scripted_model, project)
    without_snapshots(launch.environment)
    yield launch
    end_left_server(launch)


@pytest.fixture
def transport(request: pytest.FixtureRequest) -> Transport:
    """The transport of a test's bridge."""
    return _transport_of(cast("pytest.Function", request.node))


@pytest.fixture
def bridge(launch: Launch, transport: Transport) -> OpenBridge:
    """Opens connections to bridges, each a process of its own, in ``async with``."""
    return partial(open_bridge, launch, transport=transport)


@pytest.fixture
def raw_bridge(launch: Launch) -> OpenRaw:
    """Opens connections without an SDK, in ``async with``."""
    return partial(open_raw, launch)
