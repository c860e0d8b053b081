"""Modules that are executed, and not only imported lazily; a program of a test may import this and nothing else."""

import sys

from opencode_mcp.lazy_imports import LazyModule


def is_executed(name: str) -> bool:
    """Return whether a module was imported, and executed if it is a lazy one."""
    module = sys.modules.get(name)
    return module is not None and not isinstance(module, LazyModule)
