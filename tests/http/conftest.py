"""The operator of a module's bridge, and a principal of it."""

import pytest

from tests.http.operator import Operator


@pytest.fixture(scope="module")
def operator(tmp_path_factory: pytest.TempPathFactory) -> Operator:
    return Operator(tmp_path_factory.mktemp("operator"))


@pytest.fixture(scope="module")
def laptop(operator: Operator) -> str:
    """Token of a principal with this name."""
    return operator.principal("laptop")
