"""Hostile text costs no pure function more than time in proportion to its length: none of them may hang the bridge.

Every function that sees outside text is in ``FUNCTIONS``. A module of the contract for pure modules that
is neither there nor in ``WITHOUT_TEXT`` fails a test. Each function gets every text at 2 KB, where a quadratic one is
by far the slowest, and then the text that it was slowest at with 250 KB; in ``make attack``, at 20 KB and with 1 MB.
That happens in a process that is ended when it takes far longer than a linear function could.
"""

import json
import subprocess
import sys
import threading
import time
import tomllib
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from functools import partial

import pytest

from opencode_mcp.diffs import (
    authorship,
    diff_merge,
    file_after_patch,
    git_diff_text,
    named_files,
    patches,
    read_only_commands,
    session_files,
)
from opencode_mcp.diffs.authorship import AuthorFinder
from opencode_mcp.errors import BridgeError
from opencode_mcp.events import event_collection
from opencode_mcp.http.oauth import token_rights
from opencode_mcp.http.oauth.oauth_settings import DEFAULT_SCOPES
from opencode_mcp.http.principals import claim_match, permission_rules
from opencode_mcp.http.principals.principal import Principal
from opencode_mcp.http.request_logs import audited_place
from opencode_mcp.markdown import excerpt, file_changes, headline, question_blocks, tool_calls, transcript
from opencode_mcp.markdown.detail_level import DETAILED, TranscriptOptions
from opencode_mcp.opencode.http_client import codec, request_checks, terminal
from opencode_mcp.opencode.operation_catalog import argument_problems, operation_search, schema_text
from opencode_mcp.opencode.operation_catalog.arguments import split
from opencode_mcp.opencode.operation_catalog.catalog import table_of
from opencode_mcp.opencode.v1 import event_parser, server_document
from opencode_mcp.opencode.v2 import replacements, request_conversions
from opencode_mcp.opencode.v2.event_parsing import event_parser as event_parser2
from opencode_mcp.opencode.v2.messages import conversation as messages
from opencode_mcp.opencode.vocabulary import answer_parser, backend_events, call_subject
from opencode_mcp.opencode.vocabulary.wire.file_objects import FileDiff
from opencode_mcp.opencode.vocabulary.wire.message import Message, MessageInfo
from opencode_mcp.opencode.vocabulary.wire.parts import ToolPart
from opencode_mcp.opencode.vocabulary.wire.permissions_and_questions import FieldKind, Question, QuestionItem
from opencode_mcp.opencode.vocabulary.wire.session_objects import Session
from opencode_mcp.opencode.vocabulary.wire.shared_values import Failure
from opencode_mcp.runs.following import activity, progress_lines
from opencode_mcp.runs.outcome import endings, failed_command
from opencode_mcp.runs.output_schema import schema_in_prompt
from opencode_mcp.runs.requests.permission_policy import Policy
from opencode_mcp.runs.requests.shell_policy import shell_decider
from opencode_mcp.secrets import own_passwords as known_secrets
from opencode_mcp.secrets import redact_data, redact_text, secret_names
from opencode_mcp.server.access import argument_values
from opencode_mcp.server.definition import argument_limits
from opencode_mcp.server.operations import json_cut, json_outline, json_select
from opencode_mcp.server.results import size_limit
from opencode_mcp.server.stdio.front import request_keys
from opencode_mcp.settings import Settings
from opencode_mcp.text import json_text, name_lists, outside_text, similar_names
from opencode_mcp.workspace import globs, line_window
from opencode_mcp.workspace.configuration import command_template, protected_files
from opencode_mcp.workspace.search import found_lines, path_ranking, symbol_forms
from tests.harness.effort import THOROUGH
from tests.harness.operations import operation
from tests.harness.processes.isolation import ROOT

SHORT = 20_000 if THOROUGH else 2_000
LENGTH = 1_000_000 if THOROUGH else 250_000
CPU_SECONDS = 60.0
"""Processor time for one text. At 1 MB a linear function takes 0 to 8 seconds, and a quadratic one an hour."""
SECONDS = 600.0
"""For all texts of one function; a function that never ends is ended then, with the process that it runs in."""
DONE = "done"
PIECES = (
    *("a", " ", "\n", "\r", "\t", "x\n", "\n\n", "\r\n", "`", "``` ", "*", "_", "[", "]", "(", "{", "}", "<<", "<a>"),
    *(
        "{a,b}",
        "a=",
        "=",
        "--a=",
        "sk-",
        "sk-a",
        "gh",
        "eyJa.",
        "eyJ",
        "-----BEGIN A PRIVATE KEY-----",
        "bearer ",
        "basic ",
        "cookie: ",
        "set-cookie:a ",
    ),
    *(
        "http://",
        "http://a@",
        "a:b@",
        "?a=",
        "&key=",
        "@",
        "@.",
        "@a/",
        "!",
        "!`",
        "'",
        '"',
        "\\",
        '\\"',
        "\\\\",
        "/",
        "../",
    ),
    *(
        "%2e",
        "\x1b[",
        "\x1b]",
        "\x1bP",
        "\x1b[0;",
        "\x08",
        "a\x08",
        "\0",
        "é",
        "e\u0301",
        "\u202e",
        "\u2028",
        "\U0001f600",
    ),
    *(
        "@@ -1 +1 @@\n",
        "@@ -1,9 +1,9 @@\n+a\n",
        "diff --git a b\n",
        "--- a\n",
        "+++ b\n",
        "\\ No newline\n",
        "|",
        ": ",
        "\ud800",
    ),
)


def texts(length: int) -> list[str]:
    """The texts, each about so many characters long."""
    repeated = [(piece * (length // len(piece) + 1))[:length] for piece in PIECES]
    return [*repeated, "a" * length + "!", "\x08".join(["a" * (length // 2), "\x08" * (length // 2)])]


def a_message(text: str) -> Message:
    state = {"status": "completed", "input": {"command": text, text[:50]: "x"}, "output": text, "title": text}
    tool = {"type": "tool", "tool": "bash", "state": state}
    parts = [{"type": "text", "text": text}, tool, {"type": "reasoning", "text": text}]
    return Message.read({"info": {"id": "msg_1", "sessionID": "ses_1", "role": "assistant"}, "parts": parts})


def a_call(tool: str, arguments: Mapping[str, object]) -> ToolPart:
    state = {"status": "completed", "input": arguments}
    return ToolPart.model_validate({"id": "prt_1", "type": "tool", "tool": tool, "state": state})


def a_failed_call(command: str) -> ToolPart:
    call = a_call("bash", {"command": command})
    call.state.metadata["exit"] = 1
    return call


def a_work(text: str) -> authorship.SessionWork:
    message = a_message(text)
    parts = [*message.parts, a_call("write", {"filePath": text})]
    return authorship.work_of([Message(info=message.info, parts=parts)], Session(id="ses_1", directory="/p"))


def an_event(text: str) -> str:
    properties = {"sessionID": text[:99], "part": {"type": "tool", "state": {"input": {"command": text}}}}
    return json.dumps({"payload": {"type": "message.part.updated", "properties": properties}})


def an_event_of_2(text: str) -> str:
    data = {"sessionID": text[:99], "assistantMessageID": text[:99], "ordinal": 0, "id": text[:99], "text": text}
    return json.dumps({"type": "session.text.ended", "data": data})


def call_of_2(text: str) -> None:
    parser = event_parser2.EventParser2()
    for kind in ("input.started", "called", "progress", "success", "failed"):
        data = {
            "sessionID": "ses_1",
            "assistantMessageID": "msg_1",
            "id": "call_1",
            "name": text,
            "input": {text: text},
        }
        parser.parse(json.dumps({"type": f"session.tool.{kind}", "data": data | {"error": {"message": text}}}))


def selected(value: object, expression: str) -> None:
    """Select with an expression as long as one may be, which may be refused."""
    for length in (json_select.MOST_CHARACTERS, json_select.MOST_CHARACTERS // 2):
        with suppress(BridgeError):
            json_select.select_json(value, expression[:length])


def converted(text: str) -> None:
    state = {"status": "completed", "input": {"command": text}, "content": [{"type": "text", "text": text}]}
    content = [{"type": "text", "text": text}, {"type": "tool", "id": "call_1", "name": text, "state": state}]
    error = {"type": text, "message": text}
    messages.to_messages(
        [
            {"id": "msg_1", "type": "user", "text": text, "files": [{"uri": text, "name": text}]},
            {"id": "msg_2", "type": "assistant", "agent": text, "content": content, "error": error},
            {"id": "msg_3", "type": "shell", "command": text, "output": {"output": text}},
            {"id": "msg_4", "type": "compaction", "summary": text},
            {"id": "msg_5", "type": "skill", "name": text, "text": text},
            {"id": "msg_6", "type": "idle", "outcome": "failed", "error": error},
        ],
        "ses_1",
    )


def asked_by_2(text: str) -> None:
    permission = {"id": "per_1", "sessionID": "ses_1", "action": text, "resources": [text], "message": text}
    request_conversions.permission_of(permission)
    field = {"key": "q0", "title": text, "description": text, "type": "string", "format": text, "pattern": text}
    question = request_conversions.question_of({"id": "frm_1", "sessionID": "ses_1", "title": text, "fields": [field]})
    refused(partial(request_conversions.form_answer, question, [[text]]))


def typed_values(text: str) -> None:
    kinds: tuple[FieldKind, ...] = ("text", "number", "integer", "boolean")
    for kind in kinds:
        item = QuestionItem(question="Which?", kind=kind)
        refused(partial(answer_parser.read_answers, Question(id="q", session_id="s", questions=[item]), [[text]]))


def running_call(text: str) -> ToolPart:
    state = {"status": "running", "input": {"command": text}}
    return ToolPart.model_validate({"id": "prt_1", "type": "tool", "tool": text, "state": state})


def lines_of_progress(text: str) -> None:
    progress = progress_lines.Progress("ses_1", "msg_1", "/p", lambda: 0)
    part = {"type": "tool", "tool": text, "state": {"input": {"command": text}}}
    progress.add(backend_events.PartChanged("ses_1", part))
    progress.take()


def a_window(text: str) -> None:
    window = line_window.LineWindow(1, 10**9, 2000, 20_000)
    for start in range(0, len(text), 65_536):
        window.add(text[start : start + 65_536])
    window.finish()


def a_page(text: str) -> None:
    page = found_lines.FoundPage(0, 500, 5, 20_000)
    for number, line in enumerate(text.split("\n")):
        page.add(found_lines.FoundLine("a", number, line, matched=number % 2 == 0))


def a_diff(text: str) -> FileDiff:
    return FileDiff(file=text[:5000], patch=f"@@ -1 +1 @@\n{text}", additions=1, deletions=1, status=text[:99])


def ranked(text: str) -> None:
    ranking = path_ranking.PathRanking(text[:1000], 10)
    for path in (text, *[text[:1000]] * 100):
        ranking.add(path)
    ranking.best()
    list(path_ranking.folders_between(text[:4000], text[1:4096]))


def definitions(text: str) -> None:
    for suffix in ("py", "ts", "go", "rs", "java", "c", "rb", "php", "sh", "lua", "ex", "sql"):
        symbol_forms.definition(f"a.{suffix}", 1, text, "a")


def without_known_secrets(text: str) -> None:
    known = known_secrets.KnownSecrets()
    known.add("a" * 40)
    known.add("a password of ours", "opencode")
    known.redact(text)


def refused(function: Callable[[], object]) -> None:
    with suppress(BridgeError, ValueError):
        function()


def split_arguments(text: str) -> None:
    for arguments in ({"query": text}, {text: text}, {"query": "x", "limit": text}):
        refused(partial(split, operation("find.files"), arguments))


FIND = operation("find.files")
FUNCTIONS: Mapping[str, Callable[[str], object]] = {
    "http.oauth.token_rights": lambda text: token_rights.effects_of(
        token_rights.scopes_of({"scope": text, "scp": [text]}), DEFAULT_SCOPES
    ),
    "http.principals.claim_match": lambda text: claim_match.matching_principals(
        {"sub": text, "groups": text.split("a")}, [Principal("a", (), Settings(), ("a",), {"groups": ("a",)})]
    ),
    "http.principals.permission_rules": lambda text: permission_rules.rules_of_principal(
        {text: {text: "allow"}}, {text: {text: "reject"}}
    ),
    "http.request_logs.audited_place": lambda text: audited_place.directory_of(
        "opencode_run_many", {"tasks": [{"directory": part} for part in text.split("a")]}, text
    ),
    "opencode.http_client.codec encode": lambda text: codec.encode(FIND, query={"query": text}, body={"a": [text]}),
    "opencode.http_client.codec decode": lambda text: codec.decode(
        FIND, codec.Reply(status=200, headers={"content-type": "application/json"}, body=text.encode(errors="replace"))
    ),
    "opencode.http_client.codec failure": lambda text: codec.failure(
        "a", codec.Reply(status=500, body=json.dumps({"error": text}).encode())
    ),
    "opencode.http_client.request_checks": lambda text: request_checks.check_body(FIND, {"title": text, text: [text]}),
    "text.json_text": json_text.read_json,
    "text.name_lists": lambda text: name_lists.listed(text.split("\n"), 10),
    "runs.output_schema.schema_in_prompt": schema_in_prompt.parse_answer,
    "text.similar_names": lambda text: similar_names.similar_names(text, text.split("\n")),
    "text.similar_names short": lambda text: similar_names.similar_names(text[:60], [text[:50]] * 100_000),
    "opencode.operation_catalog.arguments": split_arguments,
    "opencode.operation_catalog.argument_problems": lambda text: argument_problems.problems(
        text[:1000], {"enum": ["a"]}, text
    ),
    "opencode.operation_catalog.argument_problems unsafe": lambda text: argument_problems.unsafe(text, "segment"),
    "opencode.operation_catalog.operation_search": lambda text: operation_search.search(
        table_of(1), text[: argument_limits.TEXT]
    ),
    "workspace.search.found_lines": a_page,
    "workspace.line_window": a_window,
    "workspace.globs": lambda text: globs.Globs([text[:1000]]).fit(text),
    "workspace.globs many": lambda text: globs.Globs(["*a*b*c*"] * 100).fit(text),
    "workspace.search.path_ranking": ranked,
    "workspace.search.symbol_forms": definitions,
    "workspace.configuration.command_template": lambda text: command_template.expand(f"{text} $1 $2", text),
    "workspace.configuration.command_template arguments": lambda text: command_template.expand(
        "a $ARGUMENTS b $ARGUMENTS", text
    ),
    "workspace.configuration.command_template shell": command_template.shell_lines,
    "workspace.configuration.command_template mentions": command_template.mentions,
    "workspace.configuration.protected_files": lambda text: protected_files.decides_what_runs(text, text[:100]),
    "secrets.redact_data": lambda text: redact_data.redacted_data(
        {"a": text, text[:99]: [text], "command": [text, text]}, ["known secret"]
    ),
    "secrets.redact_text": lambda text: redact_text.redacted_text(text, ["known secret"]),
    "secrets.redact_text strict": lambda text: redact_text.redacted_text(text, strict=True),
    "text.outside_text": lambda text: (outside_text.one_line(text), outside_text.indented(text)),
    "secrets.secret_names": secret_names.is_secret,
    "secrets.own_passwords": without_known_secrets,
    "opencode.operation_catalog.schema_text": lambda text: schema_text.in_short({"enum": [text], "description": text}),
    "opencode.v2.replacements": replacements.advice,
    "opencode.v1.server_document": lambda text: server_document.differences({"paths": {text: {"get": text}}}),
    "opencode.http_client.terminal": lambda text: terminal.TerminalOutput(text[: terminal.OUTPUT_CHARACTERS]).text,
    "opencode.http_client.terminal contains": lambda text: terminal.contains(text, "a*a*a*b"),
    "server.stdio.front.request_keys": lambda text: request_keys.RequestKeys("").key_of(
        {"jsonrpc": "2.0", "id": text, "method": "initialize", "params": {"protocolVersion": text, "clientInfo": text}}
    ),
    "server.access.argument_values": lambda text: argument_values.texts_at({"a": [text]}, ["a", text[:1000]]),
    "server.operations.json_cut": lambda text: json_cut.cut_json({"a": text, "b": [text[:9]] * 5000}, 20_000),
    "server.operations.json_outline": lambda text: json_outline.outline({text: [text] * 50, "a": {text[:99]: text}}),
    "server.operations.json_select": lambda text: selected({"a": text, "b": [text[:99]] * 50}, text),
    "server.definition.argument_limits": lambda text: argument_limits.check_limits({"prompt": text, text: 1}),
    "server.results.size_limit": lambda text: size_limit.fit(text, {"a": text, "b": [text[:99]] * 2000}),
    "opencode.v1.event_parser": lambda text: event_parser.EventParser1().parse(an_event(text)),
    "opencode.v1.event_parser raw": event_parser.EventParser1().parse,
    "opencode.v2.event_parsing.event_parser": lambda text: event_parser2.EventParser2().parse(an_event_of_2(text)),
    "opencode.v2.event_parsing.event_parser raw": event_parser2.EventParser2().parse,
    "opencode.v2.event_parsing.content_events": call_of_2,
    "opencode.v2.messages.conversation": converted,
    "opencode.v2.request_conversions": asked_by_2,
    "opencode.vocabulary.answer_parser": typed_values,
    "events.event_collection": lambda text: event_collection.session_of(
        {"type": text, "properties": {"sessionID": text}}
    ),
    "opencode.vocabulary.call_subject": lambda text: call_subject.call_subject({"command": text}),
    "runs.following.activity": lambda text: activity.activity_on_record(
        [Message(info=MessageInfo(id="msg_1", session_id="ses_1", role="assistant"), parts=[running_call(text)])],
        text,
        None,
        activity.CurrentTime(0.0, 0.0),
    ),
    "runs.outcome.failed_command": lambda text: failed_command.failed_command(
        [Message(info=a_message(text).info, parts=[a_failed_call(text)])]
    ),
    "runs.outcome.endings": lambda text: endings.failure_kind(Failure(name=text, data={"message": text})),
    "runs.following.progress_lines": lines_of_progress,
    "runs.requests.permission_policy": lambda text: Policy(
        rules={"bash": {"*a*b*c*": "allow", "git *": "reject"}}
    ).decider("bash", [text]),
    "runs.requests.shell_policy": lambda text: shell_decider(Policy(rules={"bash": {"*a*b*c*": "allow"}}), text),
    "markdown.excerpt": lambda text: (excerpt.code(text), excerpt.name(text[:99]), excerpt.fence(excerpt.clean(text))),
    "markdown.headline": lambda text: headline.headline(MessageInfo(id=text, session_id="s", role=text, finish=text)),
    "markdown.tool_calls": lambda text: [
        tool_calls.tool_blocks(part, TranscriptOptions(DETAILED))
        for part in a_message(text).parts
        if isinstance(part, ToolPart)
    ],
    "markdown.transcript": lambda text: transcript.render_transcript([a_message(text)]),
    "diffs.patches": lambda text: patches.write(patches.parse(text).hunks),
    "diffs.diff_merge": lambda text: diff_merge.merge_diffs([[a_diff(text)], [a_diff(text)]]),
    "diffs.git_diff_text": git_diff_text.parse_raw,
    "diffs.file_after_patch": lambda text: file_after_patch.text_after(a_diff(text)),
    "diffs.named_files": lambda text: [
        named_files.named_files(a_call("apply_patch", {"patchText": text, "filePath": text}), text[:9]),
        named_files.possible_paths(text, text),
    ],
    "diffs.read_only_commands": read_only_commands.reads_only,
    "diffs.authorship": lambda text: AuthorFinder(text, [], a_work(text).calls, a_work(text).calls).find(text),
    "diffs.session_files": lambda text: session_files.session_files(
        [Message(info=a_message(text).info, parts=[a_call("apply_patch", {"patchText": text, "filePath": text})])], text
    ),
    "markdown.question_blocks": lambda text: question_blocks.question_blocks(
        a_call("question", {"questions": [{"question": text, "options": [{"label": text, "description": text}]}]}),
        TranscriptOptions(DETAILED),
    ),
    "markdown.file_changes": lambda text: file_changes.render_diff([a_diff(text)] * 2),
}
SLOW: Mapping[str, int] = {
    "text.similar_names short": 8,
    "opencode.operation_catalog.arguments": 2,
    "workspace.globs": 2,
    "workspace.globs many": 4,
    "secrets.redact_data": 6,
    "secrets.redact_text": 2,
    "secrets.redact_text strict": 2,
    "server.results.size_limit": 3,
    "server.operations.json_cut": 6,
}
"""Functions that take long for each text: they get every so-many-th of the texts."""
WITHOUT_TEXT: Mapping[str, str] = {
    "bounded_dict": "keys of any kind, which it does not look into",
    "opencode.configuration_changes": "a sentence of our own",
    "opencode.tables.annotation_types": "a type only",
    "opencode.v1.annotations": "a table of our own",
    "opencode.v1.descriptions": "a table of our own",
    "opencode.v2.annotations": "a table of our own",
    "opencode.tables.argument_rules": "types of a table of our own",
    "opencode.v1.argument_rules": "a table of our own",
    "opencode.v2.argument_rules": "a table of our own",
    "opencode.vocabulary.backend_events": "types only",
    "text.utc_time": "numbers only",
    "text.json_values": "looks at types only",
    "opencode.v2.event_parsing.event_memory": "keeps what opencode.v2.event_parser reads, which is here",
    "opencode.v2.event_parsing.execution_events": "called by opencode.v2.events.event_parser, which is here",
    "opencode.v2.event_parsing.session_events": "called by opencode.v2.events.event_parser, which is here",
    "opencode.v2.failures": "called by opencode.v2.messages.conversation, which is here",
    "opencode.v2.messages.message_conversions": "called by opencode.v2.messages.conversation, which is here",
    "opencode.v2.messages.compactions_and_shell_lines": "called by opencode.v2.messages.conversation, which is here",
    "opencode.v2.messages.message_parts": "called by opencode.v2.messages.conversation, which is here",
    "opencode.v2.messages.tool_states": "called by opencode.v2.messages.conversation, which is here",
    "opencode.v2.descriptions": "a table of our own",
    "secrets.key_patterns": "a table of our own, applied by secrets.redact_text",
    "events.answer_waits": "keeps times only",
    "events.session_parents": "keeps ids only",
    "runs.enforcement.working_time": "keeps times only",
    "runs.following.progress_throttle": "keeps times only",
    "runs.limits": "keeps numbers only",
    "events.present_work": "keeps names and sizes; runs.following.activity, which is here, makes lines of them",
    "runs.following.unfinished_answer": "keeps the parts of a message as they come; the models parse them",
    "runs.outcome.state": "states and signals only",
    "server.results.amounts": "numbers only",
    "markdown.detail_level": "measures only",
    "markdown.layout": "drawn by markdown.transcript and markdown.diff, which are here",
    "runs.output_schema.validation": "ended in time, runs/output_schema/test_check.py attacks it",
}


def test_every_pure_module_is_attacked_or_sees_no_text() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"][
        "contracts"
    ]
    pure = next(contract for contract in contracts if contract["name"] == "Pure modules import no I/O")
    named = {module.removeprefix("opencode_mcp.") for module in pure["source_modules"]}
    attacked = {name.partition(" ")[0] for name in FUNCTIONS}
    assert named - attacked - WITHOUT_TEXT.keys() == set()
    assert attacked & WITHOUT_TEXT.keys() == set()


class Worker:
    """A process that gives the texts to one function after the other."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None

    def attack(self, name: str) -> str:
        """Give a function its texts; returns ``DONE``, or what went wrong."""
        process = self._process or self._start()
        assert process.stdin
        assert process.stdout
        end = threading.Timer(SECONDS, process.kill)
        end.start()
        try:
            process.stdin.write(f"{name}\n")
            process.stdin.flush()
            return process.stdout.readline().strip() or f"{name} ended the process, or took over {SECONDS:.0f} s"
        finally:
            end.cancel()

    def _start(self) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "tests.test_cost_of_text"]
        self._process = subprocess.Popen(  # noqa: S603 - our own interpreter
            command, cwd=ROOT, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8"
        )
        return self._process

    def close(self) -> None:
        """End the process; the next function starts another one."""
        if self._process:
            with self._process as process:
                process.kill()
        self._process = None


@pytest.fixture(scope="module")
def worker() -> Iterator[Worker]:
    worker = Worker()
    yield worker
    worker.close()


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_long_hostile_text_is_done_in_time(worker: Worker, name: str) -> None:
    outcome = worker.attack(name)
    if outcome != DONE:
        worker.close()
    assert outcome == DONE


def attack(name: str) -> str:
    """Give a function its texts; returns ``DONE``, or what went wrong, in a line."""
    short = texts(SHORT)
    slowest, longest = 0, -1.0
    for number in range(0, len(short), SLOW.get(name, 1)):
        outcome, taken = attack_with(name, short[number])
        if outcome != DONE:
            return outcome
        if taken > longest:
            slowest, longest = number, taken
    return attack_with(name, texts(LENGTH)[slowest])[0]


def attack_with(name: str, text: str) -> tuple[str, float]:
    """Give a function one text; returns ``DONE`` or what went wrong, and the processor time that it took."""
    began = time.process_time()
    try:
        refused(partial(FUNCTIONS[name], text))
    except Exception as error:  # noqa: BLE001 - reported to the test
        return f"{name} failed at {text[:20]!r}: {error!r:.300}", 0
    taken = time.process_time() - began
    if taken > CPU_SECONDS:
        return f"{name} took {taken:.1f} s for {len(text)} characters of {text[:20]!r}", taken
    return DONE, taken


def main() -> None:
    """Attack the functions that are named on stdin."""
    for line in sys.stdin:
        sys.stdout.write(f"{attack(line.strip())}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
