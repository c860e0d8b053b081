"""Sends what hypothesis draws to bridges in batches, and finds out which message is to blame where something breaks.

The seed and its number alone decide a batch. A bridge serves one leg of the campaign, which is several batches; the
eras of the protocol take turns.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from anyio import to_thread
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from tests.fuzz.drafts import Draft, Offer, drafts
from tests.fuzz.findings import Finding
from tests.fuzz.place import Place
from tests.fuzz.side import Side, open_side
from tests.harness.bridges.rawrpc import MODERN, Host, NotJson
from tests.harness.processes.usage import open_descriptors, resident

HOSTS = (Host(), Host(protocol=MODERN))
BATCH = 100
LEG = 10
"""Batches that one bridge serves."""
DEADLINE = 30.0
"""Seconds within which all of a batch must be answered."""
ALONE = 10.0
"""Seconds for a message that is sent by itself, to see whether it is to blame."""
UNIMPORTANT = (
    HealthCheck.data_too_large,
    HealthCheck.filter_too_much,
    HealthCheck.large_base_example,
    HealthCheck.too_slow,
)
"""Health checks of hypothesis that fail if messages are only drawn, or on a busy machine."""
SEEDS_APART = 1_000_003
MOST_MEMORY = 400.0
"""Megabytes that a bridge may hold."""
MORE_DESCRIPTORS = 64
"""Descriptors that a bridge may hold above those of its first batch: as many as it may open connections."""


def drawn(strategy: st.SearchStrategy[Draft], value: int, count: int) -> list[Draft]:
    """Draw messages; the same value gives the same ones."""
    found: list[Draft] = []

    @seed(value)
    @settings(
        max_examples=count,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=UNIMPORTANT,
    )
    @given(strategy)
    def collect(draft: Draft) -> None:
        found.append(draft)

    collect()
    return found


async def offer_of(place: Place) -> Offer:
    """List the tools, resources and prompts of a bridge."""
    async with place.bridge(Host()) as bridge:
        tools = (await bridge.request("tools/list"))["result"]["tools"]
        templates = (await bridge.request("resources/templates/list"))["result"]["resourceTemplates"]
        prompts = (await bridge.request("prompts/list"))["result"]["prompts"]
    return Offer(tools, [item["uriTemplate"] for item in templates], [item["name"] for item in prompts])


@dataclass(slots=True)
class Usage:
    """Memory in megabytes and descriptors of the bridges of a campaign; None if the system does not report them."""

    memory_first: float | None = None
    memory_most: float | None = None
    descriptors_first: int | None = None
    descriptors_most: int | None = None

    def note(self, pid: int) -> None:
        """Look at a bridge."""
        memory, descriptors = resident(pid), open_descriptors(pid)
        if self.memory_first is None:
            self.memory_first, self.descriptors_first = memory, descriptors
        self.memory_most = max(self.memory_most or 0.0, memory or 0.0)
        self.descriptors_most = max(self.descriptors_most or 0, descriptors or 0)


@dataclass(slots=True)
class Campaign:
    """A fuzz and its result.

    Args:
        place: Folder, model and OpenCode of the bridge.
        offer: Tools, resources and prompts of the bridge.
        value: The seed.
        report: Gets a line about every batch and every finding.
    """

    place: Place
    offer: Offer
    value: int
    report: Callable[[str], None] = lambda _line: None
    fired: int = 0
    answered: int = 0
    usage: Usage = field(default_factory=Usage)
    findings: list[str] = field(default_factory=list[str])
    """The first of every kind, with its batch."""
    _kinds: set[str] = field(default_factory=set[str])
    _strangers: dict[str, bytes] = field(init=False)
    _strategy: st.SearchStrategy[Draft] = field(init=False)

    def __post_init__(self) -> None:
        self._strangers = self.place.strangers()
        self._strategy = drafts(self.offer)

    async def play(self, batches: Sequence[int], *, size: int = BATCH) -> None:
        """Play batches by their numbers."""
        left = list(batches)
        while left:
            first = left[0]
            try:
                bad = await self._leg(left, size)
                if bad is not None:
                    await self._blame(bad, size)
            except NotJson as error:
                self._note(first, Finding("a line on stdout is no JSON", None, str(error)))

    async def _leg(self, left: list[int], size: int) -> int | None:
        """Play batches with one bridge and take them off the list; the number of one after which it was no good."""
        era = left[0] // LEG
        async with open_side(self.place, _host_of(left[0])) as side:
            while left and left[0] // LEG == era:
                number = left.pop(0)
                if not await self._batch(number, side, size):
                    return number
        return None

    async def _batch(self, number: int, side: Side, size: int) -> bool:
        """Play one batch; whether all is well after it."""
        fired = await side.fire(self._drafts(number, size), seconds=DEADLINE)
        self.fired += len(fired.shots)
        self.answered += fired.answered
        self.report(f"batch {number}: {self.fired} messages, {len(self.findings)} findings")
        for finding in fired.findings:
            self._note(number, finding)
        self._check_place(number)
        well = not fired.owing and not self._opencode_died() and await side.works()
        if well:
            self._check_usage(number, side)
        return well

    def _drafts(self, number: int, size: int) -> list[Draft]:
        return drawn(self._strategy, self.value * SEEDS_APART + number, size)

    def _opencode_died(self) -> bool:
        return self.place.opencode.process.poll() is not None

    def _check_usage(self, number: int, side: Side) -> None:
        usage = self.usage
        usage.note(side.client.process.pid)
        if (usage.memory_most or 0) > MOST_MEMORY:
            self._note(number, Finding(f"over {MOST_MEMORY:g} MB of memory", None))
        if (usage.descriptors_most or 0) > (usage.descriptors_first or 0) + MORE_DESCRIPTORS:
            self._note(number, Finding("too many open descriptors", None, str(usage.descriptors_most)))

    def _check_place(self, number: int) -> None:
        strangers = self.place.strangers()
        if strangers != self._strangers:
            changed = sorted(path for path, _ in strangers.items() ^ self._strangers.items())
            self._note(number, Finding("a file outside the project changed", None, str(changed)))
            self._strangers = strangers

    async def _blame(self, number: int, size: int) -> None:
        """Send the messages of a bad batch one by one; those that fail alone are to blame."""
        before = len(self.findings)
        left = self._drafts(number, size)
        while left:
            if self._opencode_died():
                await to_thread.run_sync(self.place.serve)
            async with open_side(self.place, _host_of(number)) as side:
                while left and await self._survives(number, side, left.pop(0)):
                    pass
        if len(self.findings) == before:
            self._note(number, Finding("the batch breaks it, and no message of it alone", None))

    async def _survives(self, number: int, side: Side, draft: Draft) -> bool:
        """Send one message; whether the bridge can be used for the next."""
        fired = await side.fire([draft], seconds=ALONE)
        if self._opencode_died():
            self._note(number, Finding("OpenCode died", fired.shots[0]))
            return False
        if not fired.owing:
            return True
        works = await side.works()
        self._note(number, Finding("no answer" if works else "the bridge hangs or died", fired.shots[0]))
        return works

    def _note(self, number: int, finding: Finding) -> None:
        if finding.kind in self._kinds:
            return
        self._kinds.add(finding.kind)
        self.findings.append(f"seed {self.value}, batch {number} ({_host_of(number).protocol}): {finding}")
        self.report(self.findings[-1])


def _host_of(number: int) -> Host:
    return HOSTS[number // LEG % len(HOSTS)]
