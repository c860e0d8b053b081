"""Values that have broken programs of this kind, as data. Nothing here does harm when it is run as a shell line.

A text may name places: ``{outside}`` is a folder outside the fence, ``{project}`` the project, ``{session}`` one of its
sessions, ``{foreign}`` a session that works outside. ``placed`` fills them in.
"""

from collections.abc import Mapping

RAW: Mapping[str, str] = {
    "nan": "NaN",
    "infinity": "-Infinity",
    "huge-exponent": "1e400",
    "huge-integer": "9" * 5000,
    "deep-list": "[" * 3000 + "]" * 3000,
    "deep-map": '{"a":' * 3000 + "1" + "}" * 3000,
    "half-surrogate": '"\\ud800"',
    "other-half": '"a\\udfffb"',
    "raw-control": '"a\x01b"',
    "bad-escape": '"\\x41"',
}
"""JSON, or nearly JSON, that Python's encoder would not write; a message contains it as ``raw(name)``."""
RAW_OPEN, RAW_CLOSE = "\ue000", "\ue001"

PLACES = (
    ".",
    "..",
    "../..",
    "/",
    "~",
    "~/.ssh/id_rsa",
    "$HOME",
    "../outside/secret.txt",
    "{outside}",
    "{outside}/secret.txt",
    "{project}/../outside/secret.txt",
    "{project}/src/../../outside/secret.txt",
    "way-out/secret.txt",
    "{project}/way-out",
    "src/greet.py",
    "README.md",
    "{project}",
    "{project}/src",
    "src\\..\\..\\outside\\secret.txt",
    "..%2foutside%2fsecret.txt",
    "/proc/self/environ",
    "/dev/zero",
    "C:\\Windows",
    "//server/share",
    "x" * 300,
    "a/" * 2500,
    "a\0b",
)
URLS = (
    "file://{outside}/secret.txt",
    "file:{outside}/secret.txt",
    "FILE://localhost{outside}/secret.txt",
    "file:///proc/self/environ",
    " file://{outside}/secret.txt",
    "fi\nle://{outside}/secret.txt",
    "file://{project}/README.md",
    "data:text/plain;base64,aGk=",
    "http://127.0.0.1:9/",
    "opencode://sessions",
    "opencode://project",
    "opencode://session/{session}",
    "opencode://session/{session}/transcript?limit=99999999999999999999",
    "opencode://session/{foreign}/transcript",
    "opencode://session/../../global/health",
    "opencode://file/README.md",
    "opencode://file/..%2Foutside%2Fsecret.txt",
    "opencode://file/%2e%2e/outside/secret.txt",
    "opencode://file/{outside}/secret.txt",
    "opencode://run/{session}/..",
    "opencode://session/{session}/message/.",
    "://",
    "http://[",
)
IDS = (
    "{session}",
    "{session}",
    "{foreign}",
    "ses_",
    "ses_nosuch",
    "ses_../../global/health",
    "ses_..",
    "ses_%2e%2e",
    "ses_x?directory={outside}",
    "ses_x#y",
    "msg_",
    "msg_.",
    "msg_..",
    "msg_nosuch",
    "per_nosuch",
    "que_nosuch",
    "prt_nosuch",
    ".",
    "..",
)
PATTERNS = (
    "(a+)+$",
    "^(\\w+\\s?)*$",
    "(?P<x>",
    "[",
    "\\",
    "(?=",
    "a{1,99999}",
    "*" * 200,
    "**/" * 60,
    "{a,b}" * 20,
    "[!",
    "!(*)",
    "one",
)
COMMANDS = (
    "touch {outside}/made.txt",
    "; touch {outside}/made.txt",
    "$(touch {outside}/made.txt)",
    "`touch {outside}/made.txt`",
    "!`touch {outside}/made.txt`",
    "@{outside}/secret.txt",
    "@../outside/secret.txt",
    "cat {outside}/secret.txt",
)
TEXTS = (
    "",
    " ",
    "\n",
    "\r\n\t",
    "\0",
    "\x1b[31mred\x1b[0m",
    "\u2028\u2029",
    "\u202eevil\u202c",
    "\ufeff",
    "\U0010ffff",
    "e\u0301" * 20,
    "null",
    "undefined",
    "true",
    "-1",
    "1e309",
    "__proto__",
    "constructor",
    "%s%n%x",
    "{}",
    "[]",
    "{{7*7}}",
    "<script>",
    "</untrusted>",
    "' OR 1=1 --",
    "a" * 4700,
    "sk-" * 2000,
    "-----BEGIN PRIVATE KEY-----" * 20,
    "Bearer " + "a1" * 500,
    "é" * 3000,
)
LONG = ("a" * 100_000, "sk-" * 30_000, "{a,b}" * 20_000, "\n" * 50_000)
"""Texts that cost what is more than linear in them."""
NUMBERS = (0, 1, -1, 2, 2**31, 2**53 + 1, 2**63, 2**64, -(2**63) - 1, 10**30, 0.5, -0.0, 1e308, 5e-324, 1e30)


def raw(name: str) -> str:
    """Stand for a piece of ``RAW`` in a message, until it is encoded."""
    return f"{RAW_OPEN}{name}{RAW_CLOSE}"
