"""Error for a token that is not accepted."""


class TokenRefused(Exception):
    """A token is not accepted.

    Args:
        reason: For the log; it has nothing of the token.
        has_expired: True if nothing else is wrong with it, so it was right before.
    """

    def __init__(self, reason: str, *, has_expired: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.has_expired = has_expired
