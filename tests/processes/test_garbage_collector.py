"""The pause of the garbage collector."""

import gc

import pytest

from opencode_mcp.processes.garbage_collector import collector_paused


def test_nothing_is_collected_in_the_block_and_what_it_made_is_exempt_afterwards() -> None:
    exempt = gc.get_freeze_count()
    with collector_paused():
        assert not gc.isenabled()
        made = [object()]
    assert gc.isenabled()
    assert gc.get_freeze_count() > exempt
    assert not any(one is made for one in gc.get_objects())


def test_the_collector_goes_on_after_a_block_that_fails() -> None:
    with pytest.raises(ImportError, match="no such part"), collector_paused():
        raise ImportError("no such part")
    assert gc.isenabled()
