"""Any JSON that OpenCode's messages and diffs may be, for property tests; full of what could break out of a fence."""

from typing import Any

from hypothesis import strategies as st

from opencode_mcp.opencode.vocabulary.wire.file_objects import FileDiff
from opencode_mcp.opencode.vocabulary.wire.message import Message

FOREIGN = "not ours"
"""Word in every text that somebody else wrote, which must never be among the bridge's own words.

A single plain word may, such as the name of a model.
"""
SESSIONS = ("ses_1", "ses_2", "ses_3")
Json = Any

_pieces = st.one_of(
    st.sampled_from(
        ("\n", "\r", "\u2028", "\x0b", "`", "```", "````````", "~~~", "\n```\n", "\n# ", "\n### user\n", "> ")
    ),
    st.sampled_from(("|", "](", "![x](http://x)", "<b>", "\\", " ", "\x1b[31m", "\x00", "\u202e", "\U000e0041")),
    st.text(max_size=8),
    st.integers(1, 400).map(lambda count: "`" * count),
    st.integers(1, 60).map(lambda count: "words and more\n" * count),
)
texts = st.lists(_pieces, max_size=4).map(lambda pieces: FOREIGN.join(["", *pieces, ""]) if pieces else "")
names = st.one_of(st.sampled_from(("", "build", "msg_1", "scripted")), texts)
numbers = st.one_of(st.integers(0, 2**53), st.floats(0, 1e300))
values = st.recursive(
    st.one_of(st.none(), st.booleans(), numbers, texts, st.sampled_from(("\ud800",))),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(names, inner, max_size=3)),
    max_leaves=4,
)
objects = st.dictionaries(st.one_of(names, st.sampled_from(("filePath", "prompt", "todos"))), values, max_size=4)


def _part(kind: st.SearchStrategy[str], **fields: st.SearchStrategy[Json]) -> st.SearchStrategy[Json]:
    return st.fixed_dictionaries({"type": kind}, optional=fields)


failures = st.fixed_dictionaries({}, optional={"name": names, "data": objects})
todos = st.lists(st.fixed_dictionaries({"content": texts, "status": names}), max_size=4)
metadata = st.fixed_dictionaries(
    {},
    optional={
        "sessionId": st.sampled_from(SESSIONS),
        "filediff": st.one_of(objects, st.fixed_dictionaries({"additions": values, "deletions": values})),
        "exit": values,
    },
)
states = st.fixed_dictionaries(
    {"status": st.one_of(st.sampled_from(("completed", "error", "running", "pending")), names)},
    optional={
        "input": st.one_of(objects, st.fixed_dictionaries({"todos": st.one_of(todos, values)})),
        "output": texts,
        "error": texts,
        "metadata": metadata,
        "attachments": st.lists(objects, max_size=2),
    },
)
parts = st.one_of(
    _part(st.just("text"), text=texts, synthetic=st.booleans(), ignored=st.booleans()),
    _part(st.just("reasoning"), text=texts),
    st.fixed_dictionaries(
        {
            "type": st.just("tool"),
            "tool": st.one_of(st.sampled_from(("task", "subagent", "todowrite", "bash", "shell")), names),
            "state": states,
        }
    ),
    _part(st.just("step-finish"), reason=names, cost=numbers),
    _part(st.just("patch"), files=st.lists(texts, max_size=15)),
    _part(st.just("file"), mime=names, url=st.one_of(texts, texts.map("data:".__add__)), filename=names),
    _part(st.just("agent"), name=names),
    _part(st.just("subtask"), prompt=texts, description=texts, agent=names),
    _part(st.just("retry"), attempt=st.integers(0, 2**53), error=failures),
    _part(st.just("compaction"), auto=st.booleans(), overflow=st.booleans()),
    _part(st.just("notice"), subject=st.one_of(st.sampled_from(("agent", "model", "directory")), names), value=texts),
    _part(st.one_of(st.sampled_from(("step-start", "snapshot")), names), snapshot=names),
)
infos = st.fixed_dictionaries(
    {"id": names, "sessionID": names, "role": st.one_of(st.sampled_from(("user", "assistant")), names)},
    optional={
        "time": st.fixed_dictionaries({"created": numbers}, optional={"completed": numbers}),
        "agent": names,
        "providerID": names,
        "modelID": names,
        "finish": names,
        "error": failures,
        "cost": numbers,
        "tokens": st.fixed_dictionaries({"input": numbers, "output": numbers}),
        "structured": values,
        "summary": st.one_of(st.booleans(), objects),
    },
)
messages = st.fixed_dictionaries({"info": infos, "parts": st.lists(parts, max_size=4)}).map(Message.read)
pages = st.lists(messages, max_size=4)
families = st.dictionaries(st.sampled_from(SESSIONS), st.lists(messages, max_size=2), max_size=2)
"""Sessions of subagents, which may start one another."""
patches = st.one_of(
    texts,
    st.lists(st.sampled_from(("+", "-", " ")).flatmap(lambda kind: texts.map(kind.__add__)), max_size=8).map(
        lambda lines: "--- a\n+++ b\n@@ -1,3 +1,3 @@\n" + "\n".join(lines)
    ),
)
file_diffs = st.fixed_dictionaries(
    {"additions": st.integers(0, 2**40), "deletions": st.integers(0, 2**40)},
    optional={
        "file": texts,
        "patch": patches,
        "status": st.one_of(st.sampled_from(("added", "deleted", "modified")), names),
    },
).map(FileDiff.read)
