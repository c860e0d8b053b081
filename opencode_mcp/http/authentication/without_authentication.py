"""The rule about serving without authentication."""

from typing import TYPE_CHECKING

from opencode_mcp.errors import InvalidSetting

if TYPE_CHECKING:
    from opencode_mcp.http.address import Address
    from opencode_mcp.settings import Settings

NEW_PRINCIPAL = "Make a principal: opencode-mcp token new NAME --directory DIR."


def check_authentication(settings: "Settings", address: "Address") -> None:
    """Refuse to serve without authentication, except on this machine if the operator says so.

    Raises:
        InvalidSetting: The clients would not be authenticated.
    """
    if not settings.insecure_no_auth:
        if not settings.principals:
            raise InvalidSetting(
                "HTTP clients would not be authenticated: there are no principals.", hint=NEW_PRINCIPAL
            )
        return
    if settings.principals or settings.oauth:
        named = "principals" if settings.principals else "oauth"
        raise InvalidSetting(
            f"--insecure-no-auth and {named} exclude each other: requests without a token would belong to nobody.",
            hint="Leave --insecure-no-auth out.",
        )
    if not address.is_local:
        raise InvalidSetting(
            f"--insecure-no-auth is not possible at {address}: other machines could connect.",
            hint=f"Listen at 127.0.0.1. {NEW_PRINCIPAL}",
        )
