"""``python -m benchmarks fuzz``: seeded messages to the installed bridge in both eras, and what must not happen."""

import argparse
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import anyio

from tests.fuzz.campaign import BATCH, Campaign, offer_of
from tests.fuzz.place import Place, running_place

MESSAGES = 20_000


def fuzz(arguments: Sequence[str]) -> int:
    """Send the messages and print the outcome; return 1 if something was found."""
    parser = argparse.ArgumentParser(prog="benchmarks fuzz", description="Send hostile messages, and name what breaks.")
    parser.add_argument("--count", type=int, default=MESSAGES, help=f"messages (default: {MESSAGES})")
    parser.add_argument("--seed", type=int, default=1, help="the same seed sends the same messages (default: 1)")
    parser.add_argument("--batch", type=int, help="play only the batch of this number, as a finding names it")
    chosen = parser.parse_args(arguments)
    batches = [chosen.batch] if chosen.batch is not None else range(-(-chosen.count // BATCH))
    with tempfile.TemporaryDirectory() as folder, running_place(Path(folder).resolve()) as place:
        campaign = anyio.run(_play, place, chosen.seed, batches)
    return 1 if campaign.findings else 0


async def _play(place: Place, seed: int, batches: Sequence[int]) -> Campaign:
    campaign = Campaign(place, await offer_of(place), seed, lambda line: print(line, file=sys.stderr, flush=True))
    began = time.monotonic()
    await campaign.play(batches)
    usage = campaign.usage
    print(f"messages: {campaign.fired} in {time.monotonic() - began:.0f} s, seed {seed}")
    print(f"answered: {campaign.answered}")
    print(f"memory of the bridges: {usage.memory_first or 0:.0f} MB at first, {usage.memory_most or 0:.0f} MB at most")
    print(f"open descriptors: {usage.descriptors_first} at first, {usage.descriptors_most} at most")
    print(f"findings: {len(campaign.findings)}")
    print("\n".join(campaign.findings))
    return campaign
