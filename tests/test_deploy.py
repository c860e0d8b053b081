"""The files of deploy/ and of its container build agree with each other."""

from tests.harness.processes.isolation import ROOT


def copied() -> set[str]:
    """Return the paths of the repository that the container file copies."""
    lines = (ROOT / "deploy" / "Containerfile").read_text(encoding="utf-8").splitlines()
    copies = [line.split()[1:-1] for line in lines if line.startswith("COPY ")]
    return {path for paths in copies for path in paths}


def test_the_container_build_is_sent_only_what_it_copies() -> None:
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert "*" in lines
    assert {line.removeprefix("!") for line in lines if line.startswith("!")} == copied()
