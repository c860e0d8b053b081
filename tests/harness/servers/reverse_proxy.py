"""Reverse proxies before real bridges: nginx and Caddy, with the configurations of ``docs/http.md``."""

import os
import re
import shutil
import socket
import ssl
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.harness.processes.isolation import ROOT
from tests.harness.processes.process import NotReady, spawned
from tests.harness.servers.opencode import free_port

PAGE = ROOT / "docs" / "http.md"
NAME = "agents.example.com"
"""Name of the bridges in the configurations."""
PORTS = ("127.0.0.1:8700", "127.0.0.1:8701")
"""Addresses of the bridges in the configurations."""
START = 20.0
NGINX = """
daemon off;
pid {folder}/nginx.pid;
error_log stderr warn;
{user}
events {{ }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
{site}
}}
"""
CADDY = """
{{
    admin off
    auto_https disable_redirects
}}
{site}
"""


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate for ``NAME`` that its clients trust."""

    certificate: Path
    key: Path
    clients: ssl.SSLContext


@dataclass(frozen=True, slots=True)
class Program:
    """A reverse proxy."""

    name: str
    """The executable."""
    language: str
    """Language of the block in the page."""
    sticky: str
    """Line by which a client of the 2025 era comes back to its process."""
    site: Callable[[str, int, Certificate], str]
    """Puts a port and a certificate into the configuration of the page."""
    whole: Callable[[str, Path], str]
    """Makes a complete configuration."""
    arguments: Sequence[str]
    """With the place of the configuration as ``{file}``."""


def certificate(folder: Path) -> Certificate:
    """Make a certificate that signs itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, NAME)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(NAME)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    paths = folder / "agents.pem", folder / "agents.key"
    paths[0].write_bytes(made.public_bytes(serialization.Encoding.PEM))
    paths[1].write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return Certificate(*paths, ssl.create_default_context(cafile=str(paths[0])))


def _nginx_site(block: str, port: int, own: Certificate) -> str:
    return (
        block.replace("listen 443 ssl", f"listen 127.0.0.1:{port} ssl")
        .replace("/etc/ssl/agents.pem", str(own.certificate))
        .replace("/etc/ssl/agents.key", str(own.key))
    )


def _nginx_whole(site: str, folder: Path) -> str:
    # The workers of a master that root has started would not be allowed to use the folder.
    return NGINX.format(folder=folder, site=site, user="user root;" if os.getuid() == 0 else "")


def _caddy_site(block: str, port: int, own: Certificate) -> str:
    return block.replace(f"{NAME} {{", f"{NAME}:{port} {{\n    bind 127.0.0.1\n    tls {own.certificate} {own.key}")


def _caddy_whole(site: str, folder: Path) -> str:
    del folder
    return CADDY.format(site=site)


PROGRAMS: Mapping[str, Program] = {
    "nginx": Program(
        "nginx",
        "nginx",
        "    hash $remote_addr consistent;\n",
        _nginx_site,
        _nginx_whole,
        ("-p", "{folder}", "-e", "stderr", "-c", "{file}"),
    ),
    "caddy": Program(
        "caddy",
        "text",
        "            lb_policy ip_hash\n",
        _caddy_site,
        _caddy_whole,
        ("run", "--config", "{file}", "--adapter", "caddyfile"),
    ),
}


def executable(program: Program) -> str:
    """Return the path of a program; empty if it is not installed."""
    places = os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"
    return shutil.which(program.name, path=os.pathsep.join(places)) or ""


@contextmanager
def proxying(
    program: Program, bridges: Sequence[str], own: Certificate, folder: Path, *, sticky: bool = True
) -> Generator[str]:
    """Run a proxy before two bridges, and yield the URL of MCP behind it.

    Args:
        program: The proxy.
        bridges: Hosts and ports of the bridges.
        own: Its certificate.
        folder: For its files.
        sticky: Whether a client comes back to the same bridge; if not, bridges take turns.
    """
    port = free_port()
    site = program.site(_documented(program), port, own)
    for documented, real in zip(PORTS, bridges, strict=True):
        site = site.replace(documented, real)
    if not sticky:
        assert program.sticky in site
        turns = "            lb_policy round_robin\n" if program.name == "caddy" else ""
        site = site.replace(program.sticky, turns)
    file, log = folder / "proxy.conf", folder / f"{program.name}.log"
    file.write_text(program.whole(site, folder), encoding="utf-8")
    arguments = [part.format(file=file, folder=folder) for part in program.arguments]
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "XDG_DATA_HOME": str(folder)}
    with spawned([executable(program), *arguments], environment=environment, log=log) as process:
        _wait(port, lambda: process.poll() is not None, log)
        yield f"https://{NAME}:{port}/mcp"


def _documented(program: Program) -> str:
    """Return the configuration in the page."""
    blocks = re.findall(
        rf"^```{program.language}\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE
    )
    (found,) = [block for block in blocks if PORTS[0] in block]
    return found


def _wait(port: int, has_ended: Callable[[], bool], log: Path) -> None:
    deadline = time.monotonic() + START
    while time.monotonic() < deadline and not has_ended():
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.02)
    raise NotReady(f"The proxy does not listen:\n{log.read_text(encoding='utf-8', errors='replace')}")
