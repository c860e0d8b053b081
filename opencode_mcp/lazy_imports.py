"""Modules that are imported when first used, so that a host has the list of tools before anything else is loaded.

A host waits for ``tools/list`` when it starts, and most modules are needed only by a later call. Such a module is named
in ``LAZY``, and imported like any other::

    from opencode_mcp.runs.session_history import history

    await history.prompt_of(...)

The import statement finds the module and makes an empty one. The first read of a name that the empty module does not
have executes it; from then on it is an ordinary module. ``from opencode_mcp.runs.session_history.history import
prompt_of`` reads a name, and so executes the module at once: that is right in modules which are themselves lazy, and
wrong in those that the list of tools needs. A test builds the server and fails where a module of ``LAZY`` was executed.

Rejected: imports inside of functions, which hide what a module depends on and are repeated in every function; and
``importlib.util.LazyLoader``, which executes a module as soon as anything looks at its ``__file__``, as ``inspect``
does with every module that is loaded. Python 3.15 has a statement of its own for this (PEP 810).
"""

import sys
from _thread import RLock  # threading would load a dozen modules more
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from collections.abc import Sequence
    from importlib.abc import Loader

AT_START = frozenset(
    {
        "argparse",
        "logging",
        "opencode_mcp.disk.state_folder",
        "opencode_mcp.doctor.examination",
        "opencode_mcp.http.oauth.access_tokens",
        "opencode_mcp.http.oauth.resource_metadata",
        "opencode_mcp.http.serve_http",
        "opencode_mcp.http.principals.token_command",
        "opencode_mcp.server.app",
        "opencode_mcp.server.stdio.front.front",
        "opencode_mcp.server.stdio.serve_stdio",
        "opencode_mcp.server.stdio.stderr_log",
        "tomllib",
    }
)
"""Modules that some commands need as soon as they start, and others, such as ``--version``, do not."""
FOR_CALLS = frozenset(
    {
        "difflib",
        "filelock",
        "httpx_ws",
        "jsonschema",
        "opencode_mcp.batch_queue.task_queue",
        "opencode_mcp.batch_queue.scope",
        "opencode_mcp.diffs.authorship",
        "opencode_mcp.diffs.diff_merge",
        "opencode_mcp.diffs.git_diff_text",
        "opencode_mcp.doctor.backend_checks",
        "opencode_mcp.doctor.http_checks",
        "opencode_mcp.events.hub",
        "opencode_mcp.http.metrics.metrics_endpoint",
        "opencode_mcp.http.metrics.instruments",
        "opencode_mcp.http.traces.exporter",
        "opencode_mcp.isolation.integration",
        "opencode_mcp.isolation.preparation",
        "opencode_mcp.isolation.integration_result",
        "opencode_mcp.isolation.worktrees",
        "opencode_mcp.launcher.connection",
        "opencode_mcp.launcher.launcher",
        "opencode_mcp.launcher.outages",
        "opencode_mcp.markdown.file_changes",
        "opencode_mcp.markdown.excerpt",
        "opencode_mcp.markdown.transcript",
        "opencode_mcp.markdown.transcript_page",
        "opencode_mcp.opencode.client",
        "opencode_mcp.opencode.http_client.report_posting",
        "opencode_mcp.opencode.any_operation",
        "opencode_mcp.opencode.operation_catalog.argument_problems",
        "opencode_mcp.opencode.operation_catalog.arguments",
        "opencode_mcp.opencode.operation_catalog.catalog",
        "opencode_mcp.opencode.operation_catalog.schema_text",
        "opencode_mcp.opencode.operation_catalog.operation_search",
        "opencode_mcp.opencode.tables.annotation_types",
        "opencode_mcp.opencode.tables.operation_table",
        "opencode_mcp.opencode.v1.adapter",
        "opencode_mcp.opencode.v1.annotations",
        "opencode_mcp.opencode.v2.adapter",
        "opencode_mcp.opencode.v2.annotations",
        "opencode_mcp.opencode.v2.replacements",
        "opencode_mcp.opencode.versions",
        "opencode_mcp.opencode.vocabulary.backend_events",
        "opencode_mcp.opencode.vocabulary.answer_parser",
        "opencode_mcp.opencode.vocabulary.wire.agents_and_commands",
        "opencode_mcp.opencode.vocabulary.wire.file_objects",
        "opencode_mcp.opencode.vocabulary.wire.message",
        "opencode_mcp.opencode.vocabulary.wire.parts",
        "opencode_mcp.opencode.vocabulary.wire.permissions_and_questions",
        "opencode_mcp.opencode.vocabulary.wire.project_objects",
        "opencode_mcp.opencode.vocabulary.wire.providers",
        "opencode_mcp.opencode.vocabulary.wire.server_objects",
        "opencode_mcp.opencode.vocabulary.wire.session_objects",
        "opencode_mcp.opencode.vocabulary.wire.shared_values",
        "opencode_mcp.opencode.vocabulary.wire.wire_object",
        "opencode_mcp.remote_isolation.remote_integration",
        "opencode_mcp.remote_isolation.remote_records",
        "opencode_mcp.remote_isolation.remote_worktrees",
        "opencode_mcp.runs.answers.answer_rules",
        "opencode_mcp.runs.answers.auto_reply",
        "opencode_mcp.runs.answers.reply_sender",
        "opencode_mcp.runs.answers.runs_under_policy",
        "opencode_mcp.runs.commands",
        "opencode_mcp.runs.deadline",
        "opencode_mcp.runs.enforcement.limit_watch",
        "opencode_mcp.runs.enforcement.verifier",
        "opencode_mcp.runs.limits",
        "opencode_mcp.runs.open_waits",
        "opencode_mcp.runs.outcome.run_report",
        "opencode_mcp.runs.outcome.shortfall_sentences",
        "opencode_mcp.runs.prompting.prompt",
        "opencode_mcp.runs.prompting.reload",
        "opencode_mcp.runs.starting.session_lock",
        "opencode_mcp.runs.run_record",
        "opencode_mcp.runs.reports.other_sessions",
        "opencode_mcp.runs.reports.reporter",
        "opencode_mcp.runs.requests.always_text",
        "opencode_mcp.runs.requests.request_descriptions",
        "opencode_mcp.runs.requests.open_requests",
        "opencode_mcp.runs.requests.permission_policy",
        "opencode_mcp.runs.requests.shell_policy",
        "opencode_mcp.runs.run_life",
        "opencode_mcp.runs.run_note",
        "opencode_mcp.runs.session_history.history",
        "opencode_mcp.runs.session_history.last_run",
        "opencode_mcp.runs.session_history.prompt_beginning",
        "opencode_mcp.runs.session_history.spending",
        "opencode_mcp.runs.session_history.subagents",
        "opencode_mcp.runs.starting.start_deadline",
        "opencode_mcp.runs.starting.starting_leases",
        "opencode_mcp.runs.starting.starting_runs",
        "opencode_mcp.runs.session_stopping",
        "opencode_mcp.secrets.redact_text",
        "opencode_mcp.server.access.operation_arguments",
        "opencode_mcp.server.access.fence",
        "opencode_mcp.server.access.refusals",
        "opencode_mcp.server.access.execution.verify_commands",
        "opencode_mcp.server.batches.batch_wait",
        "opencode_mcp.server.batches.new_batches",
        "opencode_mcp.server.batches.task_runs",
        "opencode_mcp.server.changes.change_authors",
        "opencode_mcp.server.changes.session_comparison",
        "opencode_mcp.server.changes.undo_conflicts",
        "opencode_mcp.server.changes.working_tree_authors",
        "opencode_mcp.server.changes.unseen_changes",
        "opencode_mcp.server.notifications.publisher",
        "opencode_mcp.server.operations.calling",
        "opencode_mcp.server.operations.found_operations",
        "opencode_mcp.server.operations.json_select",
        "opencode_mcp.server.operations.operation_tool",
        "opencode_mcp.server.operations.reply_result",
        "opencode_mcp.server.prompts.command_prompts",
        "opencode_mcp.server.resources.completions",
        "opencode_mcp.server.results.integration_text",
        "opencode_mcp.server.costs.cost_report",
        "opencode_mcp.server.costs.cost_tables",
        "opencode_mcp.server.sessions.session_deletion",
        "opencode_mcp.server.sessions.session_list",
        "opencode_mcp.server.sessions.session_rows",
        "opencode_mcp.server.sessions.session_details",
        "opencode_mcp.server.sessions.sessions_at_work",
        "opencode_mcp.server.sessions.totals",
        "opencode_mcp.server.sessions.versions_on_disk",
        "opencode_mcp.server.new_runs.command_note",
        "opencode_mcp.server.new_runs.command_orders",
        "opencode_mcp.server.new_runs.isolated_runs",
        "opencode_mcp.server.new_runs.run_orders",
        "opencode_mcp.server.new_runs.start_limits",
        "opencode_mcp.server.similar_paths",
        "opencode_mcp.server.waiting.cancellation",
        "opencode_mcp.server.finish.finish_command",
        "opencode_mcp.server.finish.finish_url",
        "opencode_mcp.server.waiting.question_fields",
        "opencode_mcp.server.waiting.shell_permission",
        "opencode_mcp.workspace.attachments",
        "opencode_mcp.workspace.configuration.definitions",
        "opencode_mcp.workspace.file_scan",
        "opencode_mcp.workspace.files",
        "opencode_mcp.workspace.missing_git",
        "opencode_mcp.workspace.git_head",
        "opencode_mcp.workspace.globs",
        "opencode_mcp.workspace.image_checks",
        "opencode_mcp.workspace.line_window",
        "opencode_mcp.workspace.search.found_lines",
        "opencode_mcp.workspace.search.project_search",
        "opencode_mcp.workspace.search.ripgrep",
        "opencode_mcp.workspace.search.ripgrep_executable",
        "referencing",
        "referencing.exceptions",
        "wsproto",
        "wsproto.events",
    }
)
"""Modules that only a call needs: none of them is executed before the tools are listed."""
LAZY = AT_START | FOR_CALLS
"""Every module that is executed when it is first used."""

_lock = RLock()
_executing: set[str] = set()


class LazyModule(ModuleType):
    """A module that was found and is not executed yet."""

    def __getattr__(self, name: str) -> object:
        """Execute the module, and read the name from it."""
        # The import system and inspect look for names such as __path__ in every module.
        if not name.startswith("__") and _execute(self):
            return getattr(self, name)
        raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")


def _execute(module: LazyModule) -> bool:
    """Execute a module once; ``False``: this thread is executing it, and the name is not there yet."""
    name = module.__name__
    with _lock:
        if name in _executing:
            return False
        spec = module.__spec__
        loader = spec.loader if spec else None
        if spec is None or not isinstance(loader, LazyLoader):
            return True  # another thread has executed it meanwhile
        _executing.add(name)
        spec.loader = loader.loader
        try:
            loader.loader.exec_module(module)
        except BaseException:
            # As with an import that fails: the next use tries again.
            spec.loader = cast("Loader", loader)
            raise
        finally:
            _executing.remove(name)
        object.__setattr__(module, "__class__", ModuleType)
        return True


class LazyLoader:
    """Makes a module without executing it.

    Args:
        loader: Executes it later.
    """

    def __init__(self, loader: "Loader") -> None:
        self.loader = loader

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        """Make the empty module."""
        return LazyModule(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        """Leave the module empty until it is used."""


class LazyFinder:
    """Finds the modules of ``LAZY``, before the ordinary finders do."""

    def find_spec(
        self, fullname: str, path: "Sequence[str] | None", target: ModuleType | None = None, /
    ) -> ModuleSpec | None:
        """Find a module; ``None``: it is not a lazy one, or does not exist."""
        spec = PathFinder.find_spec(fullname, path, target) if fullname in LAZY else None
        if spec and spec.loader:
            spec.loader = cast("Loader", LazyLoader(spec.loader))
        return spec


def execute(module: ModuleType) -> None:
    """Execute a module now, if it is a lazy one that is not executed yet."""
    if isinstance(module, LazyModule):
        _execute(module)


def install() -> None:
    """Have the modules of ``LAZY`` imported lazily from now on."""
    if not any(isinstance(finder, LazyFinder) for finder in sys.meta_path):
        sys.meta_path.insert(0, LazyFinder())
