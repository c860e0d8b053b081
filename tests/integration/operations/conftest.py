"""Has the asserts of the cases explained as those of tests are: they stand in modules of their own."""

import pytest

pytest.register_assert_rewrite(
    *(f"tests.integration.operations.{name}" for name in ("interfaces", "project", "sessions", "setup", "world"))
)
