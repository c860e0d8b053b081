"""Pass each request to the tenant of its caller, which starts with the first request, or for its batches."""

import logging
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

import anyio

from opencode_mcp.errors import BridgeError
from opencode_mcp.http.authentication.caller import Caller
from opencode_mcp.http.authentication.needed_scopes import lacking_scopes, tool_named
from opencode_mcp.http.oauth.user import USER, user_of
from opencode_mcp.http.principals.principal_file import stamp_of
from opencode_mcp.http.request_logs.request_log import log_missing_scopes
from opencode_mcp.http.simultaneous_requests import SimultaneousRequests
from opencode_mcp.http.unfinished_batches import has_unfinished_tasks
from opencode_mcp.http.web.cut_off_errors import CHANGED_PRINCIPAL, REVOKED
from opencode_mcp.http.web.exchange import exchange_of, is_call
from opencode_mcp.settings import read_file
from opencode_mcp.text.json_values import as_map

if TYPE_CHECKING:
    from pathlib import Path

    from anyio.abc import TaskGroup
    from starlette.types import Receive, Scope, Send

    from opencode_mcp.http.authentication.authenticator import Authenticator
    from opencode_mcp.http.principals.principal_file import PrincipalFile
    from opencode_mcp.http.tenant import Tenant
    from opencode_mcp.http.web.exchange import Exchange
    from opencode_mcp.opencode.tables.annotation_types import Effect
    from opencode_mcp.settings import Settings

logger = logging.getLogger(__name__)

TenantKey = tuple[str, "frozenset[Effect]"]
"""Name of a principal, and the effects that a token of it permits."""
POLL_SECONDS = 1.0
"""Time between two looks at the settings file while no request comes."""
NOT_IN_EFFECT = (
    "%s has principals now (%s), but this bridge was started with --insecure-no-auth and asks for no token: "
    "start it again without that flag"
)


class Gate:
    """Serves MCP to principals.

    Args:
        file: The principals.
        authenticator: Finds the caller of a request.
        make_tenant: Makes a tenant from the rights of a caller.
        task_group: Runs the tenants.
        open_requests: Limits how many requests a principal has at once.
    """

    def __init__(
        self,
        file: "PrincipalFile",
        authenticator: "Authenticator",
        make_tenant: "Callable[[Settings], Tenant]",
        task_group: "TaskGroup",
        open_requests: SimultaneousRequests,
    ) -> None:
        self._file = file
        self._authenticator = authenticator
        self._make_tenant = make_tenant
        self._task_group = task_group
        self._open_requests = open_requests
        self._tenants: dict[TenantKey, Tenant] = {}
        self._tokens: dict[TenantKey, frozenset[str]] = {}
        """Digests of the tokens of the principal, as they were when each tenant was made."""
        self._starting = anyio.Lock()
        self._has_changed = True
        """True if tenants may be missing whose batches go on."""
        self._exchanges: dict[Exchange, Caller] = {}
        """The requests that are served."""

    @property
    def tenants(self) -> "Iterable[Tenant]":
        """Return the tenants that have started."""
        return list(self._tenants.values())

    @property
    def wrong_tokens(self) -> int:
        """Return the number of tokens that were wrong, or belonged to nobody."""
        return self._authenticator.wrong_tokens

    async def handle(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        """Serve one request, if it has the token of a principal."""
        self._refresh()
        caller = await self._authenticator.caller_of(scope)
        if not isinstance(caller, Caller):
            await caller(scope, receive, send)
            return
        if caller.claims:
            scope[USER] = user_of(caller.claims)
        exchange = exchange_of(scope)
        if caller.claims and not is_call(scope):
            # A stream has no end of its own. Its client opens another one with its next token.
            exchange.end_after(caller.seconds_left)
        with self._kept(caller, exchange):
            await self._open_requests.serve(caller.principal, partial(self._serve, caller), scope, receive, send)

    async def _serve(self, caller: Caller, scope: "Scope", receive: "Receive", send: "Send") -> None:
        tenant = await self._tenant(caller)
        if lacking := lacking_scopes(scope, tenant.settings):
            log_missing_scopes(caller.principal, str(caller.claims["sub"]), tool_named(scope), lacking)
            await self._authenticator.challenge.few_scopes(lacking)(scope, receive, send)
        else:
            await tenant.handle(scope, receive, send)

    @contextmanager
    def _kept(self, caller: Caller, exchange: "Exchange") -> Generator[None]:
        self._exchanges[exchange] = caller
        try:
            yield
        finally:
            del self._exchanges[exchange]

    async def _tenant(self, caller: Caller) -> "Tenant":
        key = (caller.principal, caller.effects)
        principal = self._file.principals[caller.principal]
        rights = self._authenticator.rights(principal, caller.effects)
        async with self._starting:
            tenant = self._tenants.get(key)
            if tenant is None:
                tenant = self._make_tenant(rights)
                await self._task_group.start(tenant.run)
                self._tenants[key] = tenant
                self._tokens[key] = frozenset(principal.digests)
                # The settings file may have changed meanwhile.
                self._close_changed()
            return tenant

    async def watch(self) -> None:
        """Apply changes of the settings file, also to requests that are being served, and let batches go on."""
        while True:
            if self._has_changed:
                self._has_changed = False
                await self._resume()
            await anyio.sleep(POLL_SECONDS)
            self._refresh()

    async def _resume(self) -> None:
        """Start the tenants of principals whose tasks of batches have not ended.

        Those that were queued with access tokens of other effects wait for a request with such a token.
        """
        for name, principal in self._file.principals.items():
            caller = Caller(name)
            rights = self._authenticator.rights(principal, caller.effects)
            try:
                is_needed = (name, caller.effects) not in self._tenants and await has_unfinished_tasks(rights)
                # The settings file may have changed meanwhile.
                if is_needed and name in self._file.principals:
                    await self._tenant(caller)
            except BridgeError as error:
                logger.warning("the batches of %s wait for its next request: %s", name, error)

    def _refresh(self) -> None:
        if not self._file.refresh():
            return
        for exchange, caller in list(self._exchanges.items()):
            if not caller.is_known(self._file.principals):
                exchange.cancel(REVOKED)
        self._close_changed()

    def _close_changed(self) -> None:
        """Retire the tenants whose principals have changed; what needs new ones starts them."""
        for key, tenant in list(self._tenants.items()):
            if self._has_other_rights(key, tenant) or self._has_lost_token(key):
                tenant.retire(CHANGED_PRINCIPAL)
                self._task_group.start_soon(tenant.close_after_reports)
                del self._tenants[key], self._tokens[key]
                self._has_changed = True

    def _has_other_rights(self, key: TenantKey, tenant: "Tenant") -> bool:
        """Return True if the principal of a tenant is gone, or may do other things now."""
        name, effects = key
        principal = self._file.principals.get(name)
        return principal is None or self._authenticator.rights(principal, effects) != tenant.settings

    def _has_lost_token(self, key: TenantKey) -> bool:
        """Return True if a token of the principal is gone. Its open sessions would take the place of new ones."""
        return not self._tokens[key] <= frozenset(self._file.principals[key[0]].digests)


class OpenGate:
    """Serves MCP without authentication to everybody who can connect.

    Args:
        tenant: Serves them all.
        path: The settings file.
        open_requests: Limits how many requests are served at once.
    """

    wrong_tokens = 0

    def __init__(self, tenant: "Tenant", path: "Path", open_requests: SimultaneousRequests) -> None:
        self.tenants: Iterable[Tenant] = (tenant,)
        self._tenant = tenant
        self._path = path
        self._open_requests = open_requests

    async def handle(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        """Serve one request."""
        await self._open_requests.serve("", self._tenant.handle, scope, receive, send)

    async def watch(self) -> None:
        """Log when principals are added to the settings file: they have no effect here."""
        stamp = stamp_of(self._path)
        while True:
            await anyio.sleep(POLL_SECONDS)
            if stamp != (stamp := stamp_of(self._path)) and (names := _principals_in(self._path)):
                logger.warning(NOT_IN_EFFECT, self._path, ", ".join(names))


def _principals_in(path: "Path") -> list[str]:
    try:
        return list(as_map(read_file(path).get("principals")))
    except (BridgeError, OSError) as error:
        logger.warning("%s cannot be read: %s", path, error)
        return []
