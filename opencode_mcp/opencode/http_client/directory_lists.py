"""State of the lists of one directory (agents, models, commands, MCP servers) at a server that fills them late."""

from dataclasses import dataclass, field

import anyio


@dataclass(slots=True)
class DirectoryLists:
    """Knowledge of one directory; the readers of its lists share it, and each may be cancelled."""

    lock: anyio.Lock = field(default_factory=anyio.Lock)
    """Held by the reader that waits for the lists; the others wait for the lock."""
    is_complete: bool = False
    models_deadline: float | None = None
    """End of the wait for models, on anyio's clock, however many readers take part; ``None`` before it began."""
    has_models: bool | None = None
    """False if the lists became complete without a model, since no provider can be used; ``None`` before that."""

    def begin_models_wait(self, seconds: float) -> None:
        """Set the end of the wait for models, unless an earlier reader has set it."""
        self.models_deadline = self.models_deadline or anyio.current_time() + seconds

    @property
    def stay_without_models(self) -> bool:
        """Return True if models will not come: they were waited for long enough, or there were none the last time."""
        is_over = self.models_deadline is not None and anyio.current_time() >= self.models_deadline
        return self.has_models is False or is_over

    def note_change(self) -> None:
        """Note that the lists may be empty again, for instance because the server opens the directory anew.

        A wait for them that is under way goes on as it is.
        """
        if self.is_complete:
            self.is_complete, self.models_deadline = False, None
