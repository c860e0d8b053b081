"""One test for many values: it tries them all, and reports every one that fails.

pytest can make a test of each value instead, which costs more than the test itself where it takes microseconds.
"""

import inspect
from collections.abc import Callable, Iterable, Mapping
from typing import Any

Test = Callable[..., None]
SHOWN = 80
"""Characters of a value that a failure shows."""


def for_each(
    names: str | tuple[str, ...], values: Iterable[Any], ids: Iterable[str] | None = None
) -> Callable[[Test], Test]:
    """Call a test with every value, and fail with all failures at once.

    The test must not depend on a fixture that each value would need anew.

    Args:
        names: The argument that takes a value, or those that take its parts.
        values: What to call it with.
        ids: A name of each value, which a failure shows in place of the value.
    """
    cases = [_case(names, value) for value in values]
    named = [None] * len(cases) if ids is None else list(ids)
    assert cases, "a test of no values proves nothing"

    def looped(test: Test) -> Test:
        def loop(**fixtures: object) -> None:
            failures: list[Exception] = []
            for case, name in zip(cases, named, strict=True):
                failure = _failure(test, {**case, **fixtures})
                if failure:
                    failure.add_note(f"with {name or _shown(case)}")
                    failures.append(failure)
            if failures:
                raise ExceptionGroup(f"{len(failures)} of {len(cases)} failed", failures)

        signature = inspect.signature(test)
        fixtures = [argument for name, argument in signature.parameters.items() if name not in cases[0]]
        loop.__signature__ = signature.replace(parameters=fixtures)  # type: ignore[attr-defined]
        loop.__name__, loop.__qualname__ = test.__name__, test.__qualname__
        loop.__doc__, loop.__module__ = test.__doc__, test.__module__
        return loop

    return looped


def _case(names: str | tuple[str, ...], value: Any) -> dict[str, Any]:  # noqa: ANN401 - a test's own value
    return {names: value} if isinstance(names, str) else dict(zip(names, value, strict=True))


def _failure(test: Test, arguments: Mapping[str, object]) -> Exception | None:
    try:
        test(**arguments)
    except Exception as failure:  # noqa: BLE001 - the group that is raised in the end holds it
        return failure
    return None


def _shown(case: Mapping[str, Any]) -> str:
    return ", ".join(f"{name}={_label(value)}" for name, value in case.items())


def _label(value: object) -> str:
    return str(getattr(value, "id", None) or getattr(value, "name", None) or repr(value)[:SHOWN])
