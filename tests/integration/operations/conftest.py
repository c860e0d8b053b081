"""Makes pytest explain the asserts of the cases as those of tests, although they are in modules of their own."""

import pytest

pytest.register_assert_rewrite(
    *(f"tests.integration.operations.{name}" for name in ("interfaces", "project", "sessions", "setup", "world"))
)
