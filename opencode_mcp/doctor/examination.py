"""``opencode-mcp doctor``: check line by line what works, and say what to do about the rest.

It calls no model, so it costs nothing: it proves that a session can be created, observed and removed. It leaves nothing
behind: a server that it starts is stopped again, unless another bridge uses it by then. The checks are tables in
``local_checks`` (this machine) and ``backend_checks`` (OpenCode's server).
"""

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import TYPE_CHECKING

from opencode_mcp import __version__
from opencode_mcp.doctor import backend_checks, http_checks
from opencode_mcp.doctor.finding import Finding
from opencode_mcp.doctor.local_checks import DEPENDENCIES, local_findings
from opencode_mcp.secrets import redact_text
from opencode_mcp.secrets.own_passwords import KNOWN_SECRETS
from opencode_mcp.text.outside_text import INVISIBLE, clean

if TYPE_CHECKING:
    from opencode_mcp.settings import Settings

INDENT = " " * 21


def examine(settings: "Settings", *, as_json: bool = False) -> int:
    """Make all checks and print their findings.

    Args:
        settings: Settings of the operator.
        as_json: Print one JSON object at the end instead of a line for each check.

    Returns:
        The exit code: 0 if prompts can be run, otherwise 1.
    """
    findings: list[Finding] = []

    def note(finding: Finding) -> None:
        finding = replace(finding, text=_safe(finding.text), remedy=_safe(finding.remedy))
        finding = _without_repetition(finding, findings)
        findings.append(finding)
        if not as_json:
            _print(_line(finding))

    for finding in local_findings(settings):
        note(finding)
    if _can_import(findings):
        for finding in http_checks.http_findings(settings) if settings.http else ():
            note(finding)
        backend_checks.run_checks(settings, note)
    _print(_document(findings) if as_json else f"\n{_verdict(findings)}")
    return 1 if _failures(findings) else 0


def _without_repetition(finding: Finding, earlier: Sequence[Finding]) -> Finding:
    """Return a failure that an earlier check has found, too, as a reference to that check."""
    for other in _failures(earlier):
        if finding.failed and finding.text == other.text:
            return replace(finding, text=f"see {other.check} above", remedy="")
    return finding


def _can_import(findings: Sequence[Finding]) -> bool:
    """Return True if no dependency is missing that the other checks import."""
    return not any(finding.failed and finding.check == DEPENDENCIES for finding in findings)


def _safe(text: str) -> str:
    """Return text of others without secrets and without control sequences of terminals."""
    return redact_text.redacted_text(
        KNOWN_SECRETS.redact("\n".join(INVISIBLE.sub("\ufffd", line) for line in clean(text).split("\n")))
    )


def _print(text: str) -> None:
    # Flushed, because a check may take seconds and the person wants to see the progress.
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _line(finding: Finding) -> str:
    text = finding.text.strip().replace("\n", f"\n{INDENT}")
    remedy = finding.remedy.replace("\n", f"\n{INDENT}")
    return f"{finding.grade:<5} {finding.check:<14} {text}" + (f"\n{INDENT}{remedy}" if remedy else "")


def _verdict(findings: Sequence[Finding]) -> str:
    failures = _failures(findings)
    if failures:
        return f"Prompts cannot be run yet: {', '.join(finding.check for finding in failures)}."
    warnings = [finding.check for finding in findings if finding.grade == "warn"]
    return f"Prompts can be run; look at: {', '.join(warnings)}." if warnings else "Everything works."


def _document(findings: Sequence[Finding]) -> str:
    checks = [asdict(finding) for finding in findings]
    return json.dumps({"version": __version__, "works": not _failures(findings), "checks": checks}, indent=2)


def _failures(findings: Sequence[Finding]) -> list[Finding]:
    return [finding for finding in findings if finding.failed]
