"""Decide whose a request is, and pass it to the tenant of its principal, which starts with the first request."""

import logging
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager
from typing import TYPE_CHECKING

import anyio

from opencode_mcp.http import bearer
from opencode_mcp.http.exchange import exchange_of
from opencode_mcp.http.failed_attempts import FailedAttempts

if TYPE_CHECKING:
    from anyio.abc import TaskGroup
    from starlette.types import Receive, Scope, Send

    from opencode_mcp.config import Settings
    from opencode_mcp.http.exchange import Exchange
    from opencode_mcp.http.principals.principal import Principal
    from opencode_mcp.http.principals.principal_file import PrincipalFile
    from opencode_mcp.http.tenant import Tenant

logger = logging.getLogger(__name__)

LOOK_SECONDS = 1.0
"""Time between two looks at the settings file while no request comes."""


class Gate:
    """Serves MCP to principals.

    Args:
        file: The principals.
        make_tenant: Makes the tenant of a principal from its settings.
        task_group: Runs the tenants.
    """

    def __init__(
        self, file: "PrincipalFile", make_tenant: "Callable[[Settings], Tenant]", task_group: "TaskGroup"
    ) -> None:
        self._file = file
        self._make_tenant = make_tenant
        self._task_group = task_group
        self._tenants: dict[str, Tenant] = {}
        self._starting = anyio.Lock()
        self._failed = FailedAttempts()
        self._exchanges: dict[str, set[Exchange]] = {}
        """The requests that are served, by the digest of their token."""

    @property
    def tenants(self) -> "Iterable[Tenant]":
        """Return the tenants that have started."""
        return list(self._tenants.values())

    async def handle(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        """Serve one request, if it has the token of a principal."""
        self._refresh()
        if bearer.has_token_in_url(scope):
            await bearer.token_in_url()(scope, receive, send)
            return
        token = bearer.token_of(scope)
        holder = self._file.holder_of(token) if token else None
        if holder is None:
            response = self._refuse(scope) if token else bearer.no_token()
            await response(scope, receive, send)
            return
        principal, digest = holder
        with self._kept(digest, exchange_of(scope)):
            tenant = await self._tenant(principal)
            await tenant.handle(scope, receive, send)

    @contextmanager
    def _kept(self, digest: str, exchange: "Exchange") -> Generator[None]:
        self._exchanges.setdefault(digest, set()).add(exchange)
        try:
            yield
        finally:
            kept = self._exchanges.get(digest, set())
            kept.discard(exchange)
            if not kept:
                self._exchanges.pop(digest, None)

    def _refuse(self, scope: "Scope") -> bearer.Response:
        address = (scope.get("client") or ["a Unix socket"])[0]
        wait_seconds = self._failed.add(address)
        if not wait_seconds:
            logger.warning("a wrong token came from %s", address)
        return bearer.wrong_token(wait_seconds)

    async def _tenant(self, principal: "Principal") -> "Tenant":
        async with self._starting:
            tenant = self._tenants.get(principal.name)
            if tenant is None:
                tenant = self._make_tenant(principal.settings)
                await self._task_group.start(tenant.run)
                self._tenants[principal.name] = tenant
                # The settings file may have changed meanwhile.
                self._close_changed()
            return tenant

    async def watch(self) -> None:
        """Apply changes of the settings file, also to requests that are being served."""
        while True:
            await anyio.sleep(LOOK_SECONDS)
            self._refresh()

    def _refresh(self) -> None:
        if not self._file.refresh():
            return
        principals = self._file.principals
        valid = {digest for principal in principals.values() for digest in principal.digests}
        for digest in self._exchanges.keys() - valid:
            for exchange in list(self._exchanges.pop(digest)):
                exchange.cancel()
        self._close_changed()

    def _close_changed(self) -> None:
        """End the tenants whose principals are gone or may do other things now; the next request starts new ones."""
        principals = self._file.principals
        for name, tenant in list(self._tenants.items()):
            if name not in principals or principals[name].settings != tenant.settings:
                tenant.close()
                del self._tenants[name]


class OpenGate:
    """Serves MCP without authentication to everybody who can connect.

    Args:
        tenant: Serves them all.
    """

    def __init__(self, tenant: "Tenant") -> None:
        self.tenants: Iterable[Tenant] = (tenant,)
        self.handle = tenant.handle
