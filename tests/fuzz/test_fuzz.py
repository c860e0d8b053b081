"""A few hundred messages of the fuzz, in both eras; ``python -m benchmarks fuzz`` sends twenty thousand."""

import sys
from pathlib import Path

import pytest

from tests.fuzz.campaign import LEG, Campaign, offer_of
from tests.fuzz.place import running_place

pytestmark = [pytest.mark.anyio, pytest.mark.integration, pytest.mark.long]
SEED = 2
MESSAGES = 100
"""In a batch."""


@pytest.mark.skipif(sys.platform == "win32", reason="links take a privilege there")
async def test_every_message_is_answered_once_and_nothing_breaks_or_leaks(tmp_path: Path) -> None:
    with running_place(tmp_path) as place:
        campaign = Campaign(place, await offer_of(place), SEED)
        # The first batches of two legs: each leg is one bridge of one era.
        await campaign.play([0, 1, LEG, LEG + 1], size=MESSAGES)
    assert campaign.findings == []
    assert campaign.answered > MESSAGES
