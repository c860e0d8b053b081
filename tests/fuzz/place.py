"""Setting of the fuzz: a project, a folder outside the fence with a secret, a real OpenCode, and bridges."""

import secrets
from collections.abc import Generator
from contextlib import AbstractAsyncContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.harness.bridges.launch import Launch, attaching
from tests.harness.bridges.rawrpc import Host, RawClient, open_raw
from tests.harness.processes.isolation import environment
from tests.harness.project import configure, make_project
from tests.harness.servers.http import ask
from tests.harness.servers.model import ScriptedModel, running_model
from tests.harness.servers.opencode import OpenCode, free_port, running_opencode

SECRET_VARIABLE = "FUZZ_SERVICE_TOKEN"
FLAGS = ("--toolsets", "all", "--permissions", "reject")
"""Everything is listed, and nobody allows OpenCode anything that it asks about."""
PASSWORD = "fuzz-" + secrets.token_hex(12)


@dataclass(slots=True)
class Place:
    """The folders and processes of a fuzz."""

    folder: Path
    project: Path
    outside: Path
    model: ScriptedModel
    port: int
    processes: ExitStack
    canaries: dict[str, str]
    """Secrets that the bridge must never send, by their kind."""
    opencode: OpenCode = field(init=False)

    def __post_init__(self) -> None:
        self.serve()

    @property
    def launch(self) -> Launch:
        """Command line and environment of a bridge."""
        launch = attaching(self.folder, self.model, self.opencode, self.project).with_flags(*FLAGS).as_installed()
        return launch.within(**{SECRET_VARIABLE: self.canaries["a variable"]})

    def serve(self) -> None:
        """Start OpenCode, also again where an earlier one died: at the same address with the same password."""
        variables = environment(self.folder / "opencode", self.model.url)
        variables[SECRET_VARIABLE] = self.canaries["a variable"]
        served = running_opencode(variables, self.folder / "opencode.log", port=self.port, password=PASSWORD)
        self.opencode = self.processes.enter_context(served)

    def bridge(self, host: Host) -> AbstractAsyncContextManager[RawClient]:
        """A bridge of its own process."""
        return open_raw(self.launch, host)

    def session(self, directory: Path) -> str:
        """Make a session that works in a directory."""
        headers = {"x-opencode-directory": str(directory)}
        made = ask("POST", f"{self.opencode.url}/session", auth=("opencode", PASSWORD), headers=headers)
        answer: dict[str, Any] = made.raise_for_status().json()
        return str(answer["id"])

    def names(self) -> dict[str, str]:
        """Return values for the placeholders in the pools' texts; the sessions are new ones."""
        return {
            "project": str(self.project),
            "outside": str(self.outside),
            "session": self.session(self.project),
            "foreign": self.session(self.outside),
        }

    def strangers(self) -> dict[str, bytes]:
        """All files outside the project that are nobody's state or log, with their content."""
        return {str(path): path.read_bytes() for path in sorted(self.outside.rglob("*")) if path.is_file()} | {
            str(path): b"" for path in sorted(self.folder.iterdir()) if path.suffix != ".log"
        }


@contextmanager
def running_place(folder: Path) -> Generator[Place]:
    """Run the model and OpenCode until the block ends; all that is written is below ``folder``."""
    project, outside = folder / "project", folder / "outside"
    project.mkdir()
    outside.mkdir()
    make_project(project)
    configure(project, {"permission": {"bash": "ask", "edit": "ask"}, "snapshot": False})
    canaries = {"a file outside": f"canary-{secrets.token_hex(12)}", "a variable": f"canary-{secrets.token_hex(12)}"}
    (outside / "secret.txt").write_text(canaries["a file outside"], encoding="utf-8")
    (project / "way-out").symlink_to(outside)
    with ExitStack() as processes, running_model(folder / "model.log") as model:
        (folder / "opencode").mkdir()
        (folder / "bridge").mkdir(mode=0o700)
        yield Place(folder, project, outside, model, free_port(), processes, {**canaries, "the password": PASSWORD})
