"""Requests as they are written, replies as they are read, and every shape in which OpenCode says no."""

import json
from urllib.parse import unquote

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from opencode_mcp.errors import (
    BackendFailed,
    BridgeError,
    InvalidArgument,
    InvalidConfiguration,
    NotFound,
    SessionBusy,
    Unauthorized,
    UnsupportedOperation,
)
from opencode_mcp.opencode.http_client.codec import Reply, decode, encode, failure, is_unreadable
from opencode_mcp.opencode.operation_catalog.catalog import V2
from tests.harness.each import for_each
from tests.harness.operations import operation

JSON = {"content-type": "application/json; charset=utf-8"}
HTML = {"content-type": "text/html;charset=UTF-8"}
PLAIN = {"content-type": "text/plain;charset=UTF-8"}
GET = operation("session.get")
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=60)


def reply(status: int, body: object = None, headers: dict[str, str] | None = None) -> Reply:
    """A reply with JSON, or with the text that the body is."""
    data = body.encode() if isinstance(body, str) else b"" if body is None else json.dumps(body).encode()
    return Reply(status=status, headers=JSON if headers is None else headers, body=data)


def data(name: str, message: str, **more: str) -> dict[str, object]:
    """A failure in OpenCode's older shape."""
    return {"name": name, "data": {"message": message, **more}}


HIDDEN = "Unexpected server error. Check server logs for details."
FAILURES: list[tuple[Reply, type[BridgeError], str]] = [
    (
        reply(400, data("BadRequest", 'Missing key\n  at ["parts"]', kind="Payload")),
        InvalidArgument,
        'OpenCode refused session.get: Missing key at ["parts"].',
    ),
    (reply(400, {"_tag": "BadRequest"}), InvalidArgument, "OpenCode refused session.get: a malformed request."),
    (
        reply(400, {"error": "MCP server m1 does not support OAuth"}),
        InvalidArgument,
        "OpenCode refused session.get: MCP server m1 does not support OAuth.",
    ),
    (
        reply(400, {"success": False, "error": "Unknown installation method"}),
        InvalidArgument,
        "OpenCode refused session.get: Unknown installation method.",
    ),
    (
        reply(400, data("VcsApplyError", "patch does not apply", reason="not-clean")),
        InvalidArgument,
        "OpenCode refused session.get: patch does not apply.",
    ),
    (
        reply(400, {"name": "ProviderAuthOauthMissing", "data": {"providerID": "x"}}),
        InvalidArgument,
        "OpenCode refused session.get: a malformed request.",
    ),
    (reply(401, headers={"www-authenticate": 'Basic realm="Secure Area"'}), Unauthorized, "refused the password"),
    (
        reply(401, {"_tag": "UnauthorizedError", "message": "Authentication required"}),
        Unauthorized,
        "refused the password",
    ),
    (
        reply(404, data("NotFoundError", "Session not found: ses_x")),
        NotFound,
        "Session not found: ses_x",
    ),
    (
        reply(404, {"_tag": "PermissionNotFoundError", "requestID": "per_x", "message": "Permission not found: per_x"}),
        NotFound,
        "Permission not found: per_x",
    ),
    (
        reply(404, {"_tag": "McpServerNotFoundError", "name": "m1", "message": "MCP server not found: m1"}),
        NotFound,
        "MCP server not found: m1",
    ),
    (reply(404, headers={}), NotFound, "OpenCode has nothing with that id (session.get)."),
    (
        reply(409, {"_tag": "SessionBusyError", "sessionID": "ses_x", "message": "Session is busy: ses_x"}),
        SessionBusy,
        "Session is busy: ses_x",
    ),
    (
        reply(409, {"_tag": "ConflictError", "resource": "msg_1", "message": "Message exists: msg_1"}),
        InvalidArgument,
        "OpenCode refused session.get: Message exists: msg_1.",
    ),
    (
        reply(409, {"_tag": "FormAlreadySettledError", "id": "frm_1", "message": "Form is settled: frm_1"}),
        NotFound,
        "Form is settled: frm_1",
    ),
    (
        reply(413, {"_tag": "InstructionEntryValueTooLargeError", "message": "Too large"}),
        InvalidArgument,
        "OpenCode refused session.get: Too large.",
    ),
    (
        reply(403, {"_tag": "PtyForbiddenError", "message": "Forbidden"}),
        BackendFailed,
        "OpenCode failed at session.get: Forbidden.",
    ),
    (
        reply(500, data("UnknownError", HIDDEN, ref="err_1")),
        BackendFailed,
        f"OpenCode failed at session.get: {HIDDEN}",
    ),
    (
        reply(500, "Workspace not found: wrk_zz", PLAIN),
        BackendFailed,
        "OpenCode failed at session.get: Workspace not found: wrk_zz.",
    ),
    (reply(500, {"_tag": "InternalServerError"}), BackendFailed, "OpenCode failed at session.get: HTTP 500."),
    (reply(500, headers={}), BackendFailed, "OpenCode failed at session.get: HTTP 500."),
    (reply(503, headers={}), BackendFailed, "OpenCode failed at session.get: HTTP 503."),
    (reply(503, {"_tag": "ServiceUnavailableError"}), BackendFailed, "OpenCode failed at session.get: HTTP 503."),
    (reply(500, "[1, 2]"), BackendFailed, "OpenCode failed at session.get: HTTP 500."),
    (reply(502, "<html>Bad gateway</html>", HTML), BackendFailed, "Bad gateway"),
]
"""Every shape of failure that OpenCode was seen to answer, and some that a proxy before it might."""


@for_each(("answer", "kind", "said"), FAILURES)
def test_a_failure_becomes_the_error_that_fits_in_opencodes_own_words(
    answer: Reply, kind: type[BridgeError], said: str
) -> None:
    error = failure("session.get", answer)
    assert type(error) is kind
    assert said in error.message
    with pytest.raises(kind):
        decode(GET, answer)


def test_a_server_that_is_not_there_at_the_moment_is_to_be_called_again() -> None:
    for status in (502, 503, 504):
        assert "Call again in a moment." in failure("session.get", reply(status, headers={})).hint
    assert failure("session.get", reply(500, headers={})).hint == ""


BROKEN_JSON = (
    '\n--- JSONC Input ---\n{"apiKey": "open-sesame",,}\n--- Errors ---\nPropertyNameExpected at line 1, column 25\n'
    '   Line 1: {"apiKey": "open-sesame",,}\n                        ^\nValueExpected at line 3, column 2\n--- End ---'
)


CONFIG_PROBLEMS: list[tuple[str, dict[str, object], str]] = [
    (
        "ConfigInvalidError",
        {"issues": [{"path": ["model"], "message": "Expected string, got 5"}, {"path": [], "message": "Bad"}]},
        "/p/opencode.json: model: Expected string, got 5; Bad.",
    ),
    (
        "ConfigInvalidError",
        {"issues": [{"path": ["provider", "x", "apiKey"], "message": "Expected string, got 123"}, None, 7]},
        "/p/opencode.json: provider.x.apiKey: Expected string.",
    ),
    ("ConfigInvalidError", {"message": "SchemaError: Expected\n  at [0]"}, "json: SchemaError: Expected at [0]."),
    (
        "ConfigJsonError",
        {"message": BROKEN_JSON},
        "json: PropertyNameExpected at line 1, column 25; ValueExpected at line 3, column 2.",
    ),
    ("ConfigJsonError", {"message": "--- JSONC Input ---\nopen-sesame"}, "json: it is not JSON."),
    ("ConfigFrontmatterError", {"message": "bad YAML"}, "/p/opencode.json: bad YAML."),
    ("ConfigInvalidError", {"issues": 5}, "it does not say why"),
    ("ConfigInvalidError", {"issues": [{"message": str(number)} for number in range(12)]}, "9; and 2 more."),
]


@pytest.mark.parametrize("status", [400, 500])
@pytest.mark.parametrize(("name", "problem", "said"), CONFIG_PROBLEMS)
def test_a_configuration_file_that_opencode_cannot_use_is_named_with_its_faults_and_not_quoted(
    status: int, name: str, problem: dict[str, object], said: str
) -> None:
    error = failure("provider.list", reply(status, {"name": name, "data": {"path": "/p/opencode.json", **problem}}))
    assert type(error) is InvalidConfiguration
    assert said in error.message
    assert "open-sesame" not in error.message
    assert "Nothing is wrong with the call" in error.hint


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (data("UnknownError", HIDDEN), "UnknownError"),
        ({"_tag": "McpServerNotFoundError", "name": "m1", "message": "?"}, "McpServerNotFoundError"),
        ({"message": "?"}, ""),
    ],
)
def test_a_failure_keeps_its_status_and_opencodes_name_for_it(body: object, kind: str) -> None:
    error = failure("session.get", reply(500, body))
    assert isinstance(error, BackendFailed)
    assert (error.status, error.kind) == (500, kind)


def test_a_refused_password_says_where_to_set_it() -> None:
    assert "--password" in failure("session.get", reply(401)).hint


def test_a_long_page_in_place_of_an_error_is_cut() -> None:
    assert len(failure("session.get", reply(502, "x" * 10_000, HTML)).message) < 600


def test_a_page_with_200_is_an_operation_that_this_opencode_lacks() -> None:
    with pytest.raises(UnsupportedOperation, match=r"session\.get \(GET /session/\{sessionID\}\)"):
        decode(GET, reply(200, "<!doctype html><title>OpenCode</title>", HTML))


@for_each(
    ("answer", "value"),
    [
        (reply(200, {"id": "ses_1"}), {"id": "ses_1"}),
        (reply(200, True), True),
        (reply(200, []), []),
        (reply(200, "null"), None),
        (reply(204, headers={}), None),
        (reply(200, headers={}), None),
        (reply(200, "diff --git a b", PLAIN), "diff --git a b"),
        (Reply(status=200, headers=PLAIN, body=b"caf\xe9"), "caf\ufffd"),
        (reply(200, '{"id": 1}', {"content-type": "application/json"}), {"id": 1}),
    ],
)
def test_a_good_reply_is_read_by_its_media_type(answer: Reply, value: object) -> None:
    assert decode(GET, answer) == value


@pytest.mark.parametrize("headers", [JSON, HTML, PLAIN, {}], ids=["json", "html", "plain", "untold"])
@pytest.mark.parametrize("content", [b"<p>page</p>\n", b'{"id": 1}\n', b"{", b'"a text"', b"", b"caf\xe9"])
def test_a_file_is_its_content_whatever_that_looks_like(content: bytes, headers: dict[str, str]) -> None:
    answer = Reply(status=200, headers=headers, body=content)
    assert decode(operation("v2.fs.read"), answer) == content.decode(errors="replace")


@pytest.mark.parametrize("body", [b'{"id": ', b"\xff\xfe", b"OK"])
def test_json_that_is_none_is_a_failure_of_opencode(body: bytes) -> None:
    with pytest.raises(BackendFailed, match="is not JSON"):
        decode(GET, Reply(status=200, headers=JSON, body=body))


@for_each("value", ["ses_1", "a/b", "...", "a b", "%2e%2e", "100%", "%2F", "ä/ö?#&", "\n"])
def test_a_value_in_the_path_stays_one_segment(value: str) -> None:
    path = encode(GET, path={"sessionID": value}).path
    assert path.count("/") == GET.path.count("/")
    assert not set(path) & set("?# ")


@given(TEXTS)
def test_a_value_in_the_path_comes_back_as_it_was(value: str) -> None:
    assume(value not in {".", ".."})
    assert unquote(encode(GET, path={"sessionID": value}).path).removeprefix("/session/") == value


@given(TEXTS.map(lambda text: f"/{text}"))
def test_a_directory_survives_that_opencode_decodes_it_once_more_than_the_query(directory: str) -> None:
    query = encode(operation("session.list"), directory=directory).query
    assert unquote(query["directory"]) == directory


def test_a_directory_of_opencode_2_is_encoded_once() -> None:
    assert encode(V2.operation("file.list"), directory="/a%20b").query == {"location[directory]": "/a%20b"}
    assert encode(V2.operation("session.get"), path={"sessionID": "ses_1"}, directory="/p").query == {}


def test_a_body_of_another_type_than_json_is_sent_as_it_is() -> None:
    write = V2.operation("file.write")
    request = encode(write, query={"path": "a.txt"}, body='{"ä": 1}', directory="/p")
    assert (request.content, request.body) == ('{"ä": 1}'.encode(), None)
    assert request.headers["content-type"] == "application/octet-stream"
    assert encode(V2.operation("session.prompt"), path={"sessionID": "ses_1"}, body={"text": "x"}).content is None


def test_a_directory_goes_where_the_operation_takes_it() -> None:
    takes = {row: encode(operation(row), directory="/p").query for row in ("session.list", "global.health")}
    assert takes == {"session.list": {"directory": "/p"}, "global.health": {}}
    v2 = encode(operation("v2.fs.list"), directory="/p").query
    assert v2 == {"location[directory]": "/p"}


def test_query_values_are_texts_and_none_is_left_out() -> None:
    values = {"roots": True, "limit": 5, "search": "two words", "start": None, "many": ["a"]}
    query = encode(operation("session.list"), query=values).query
    assert query == {"roots": "true", "limit": "5", "search": "two words", "many": '["a"]'}


def test_a_request_carries_the_method_the_headers_and_the_body_of_its_operation() -> None:
    request = encode(operation("pty.connectToken"), path={"ptyID": "pty_1"}, body={})
    assert (request.method, request.path, request.body) == ("POST", "/pty/pty_1/connect-token", {})
    assert request.headers == {"x-opencode-ticket": "1"}


def test_only_opencodes_own_failure_to_encode_a_page_counts_as_unreadable() -> None:
    message = 'Expected OutputFormatJsonSchema, got {"type":"json_schema"}\n  at [0]["info"]["format"]'
    assert is_unreadable(failure("session.messages", reply(400, data("BadRequest", message, kind="Body"))))
    assert not is_unreadable(failure("session.messages", reply(400, {"_tag": "BadRequest"})))
    assert not is_unreadable(failure("session.messages", reply(500, data("UnknownError", message))))
