"""Transport between the clients of a test and its bridges, where the test does not name one."""

from dataclasses import dataclass
from typing import Literal

Transport = Literal["stdio", "http"]


@dataclass(slots=True)
class Usual:
    """The transport of the present test."""

    transport: Transport = "stdio"


USUAL = Usual()
"""It is set before each test; see ``tests/conftest.py``."""
