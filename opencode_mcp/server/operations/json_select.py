"""Evaluation of a caller's JMESPath expression on a reply, with bounded cost.

Pure. An expression of a few characters can copy a value so often that nothing could hold the result
(``[@,@]|[@,@]|…``). Therefore every value that an expression makes is counted, and the evaluation ends at a limit.
"""

import math
import warnings
from collections.abc import Iterator
from typing import Any, cast

from jmespath import compile as compile_expression
from jmespath.exceptions import JMESPathError
from jmespath.visitor import TreeInterpreter

from opencode_mcp.errors import InvalidArgument
from opencode_mcp.text.json_text import DEEPEST_LEVEL

MOST_CHARACTERS = 500
"""Longest expression, in characters."""
MOST_PARTS = 2_000_000
"""Most parts of all values that an expression makes: each value is one, and each 20 characters of a text."""
CHARACTERS = 20
MAKERS = frozenset({"function_expression", "flatten", "multi_select_dict", "multi_select_list"})
"""Types of nodes that make values; the others return parts of the reply."""
HINT = "It is a JMESPath expression, such as [].id, items[0].text or [?cost > `1`].{id: id, title: title}."


class _TooLargeError(Exception):
    """The expression makes more than ``MOST_PARTS`` parts."""


class _Interpreter(TreeInterpreter):
    """Interpreter that counts what it makes."""

    def __init__(self) -> None:
        super().__init__()
        self.room = MOST_PARTS

    def visit(self, node: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - the library's signature
        value: object = super().visit(node, *args, **kwargs)
        if node["type"] in MAKERS:
            for weight in _weights(value):
                self.room -= weight
                if self.room < 0:
                    raise _TooLargeError
        return value


def select_json(value: object, expression: str) -> object:
    """Return the part of a JSON value that a JMESPath expression selects; the value itself for an empty expression.

    Args:
        value: The JSON value.
        expression: The expression.

    Raises:
        InvalidArgument: It is not a valid expression, a function in it got a value of the wrong type, or its result is
            too large or no JSON.
    """
    if not expression:
        return value
    if len(expression) > MOST_CHARACTERS:
        raise InvalidArgument(
            f"`select` is {len(expression):,} characters long.", hint=f"It has at most {MOST_CHARACTERS} characters."
        )
    try:
        found = _evaluated(value, expression)
        _check(found)
    except JMESPathError as error:
        reason = " ".join(str(error).split("\n")[0].split())
        raise InvalidArgument(f"`select` {expression!r} cannot be evaluated: {reason}.", hint=HINT) from error
    except _TooLargeError as error:
        raise InvalidArgument(f"`select` {expression!r} makes too much of the reply.", hint=HINT) from error
    except RecursionError as error:
        raise InvalidArgument(f"`select` {expression!r} is nested too deeply.", hint=HINT) from error
    return found


def _evaluated(value: object, expression: str) -> object:
    with warnings.catch_warnings():
        # Of an old form of literals, which is still accepted.
        warnings.simplefilter("ignore", PendingDeprecationWarning)
        parsed = compile_expression(expression).parsed
    return _Interpreter().visit(parsed, value)


def _weights(value: object) -> Iterator[int]:
    """Yield the weights of a value and of all values in it."""
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, str):
            yield 1 + len(one) // CHARACTERS
        else:
            yield 1
            waiting += _inner(one)


def _check(found: object) -> None:
    """Refuse a result that is not JSON, or that is nested too deeply.

    Raises:
        JMESPathError: It contains a reference to an expression, or a number that is not finite.
        RecursionError: It is nested too deeply.
    """
    level = [found]
    for _ in range(DEEPEST_LEVEL + 1):
        inner: list[object] = []
        for one in level:
            inner += _parts(one)
        if not inner:
            return
        level = inner
    raise RecursionError


def _inner(value: object) -> list[object]:
    if isinstance(value, dict):
        return list(cast("dict[str, object]", value).values())
    return cast("list[object]", value) if isinstance(value, list) else []


def _parts(value: object) -> list[object]:
    match value:
        case dict() | list():
            return _inner(cast("object", value))
        case float() if not math.isfinite(value):
            raise JMESPathError("a number is not finite")
        case None | str() | bool() | int() | float():
            return []
        case _:
            raise JMESPathError("the result is an expression, not a value")
