"""Environments for the processes of a test: nothing of the user's own reaches OpenCode, and nothing of it the network.

An ``environment`` suits an OpenCode that a test starts, and a bridge that starts its own.
"""

import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).parents[3]
"""The repository."""
NOWHERE = "http://127.0.0.1:9"
"""An address where nothing listens, for everything that would go out."""
MARK = "TEST_RUN_MARK"
"""The variable by which ``leftovers.py`` finds the processes of a test run."""
KEPT = (
    MARK,
    "COMSPEC",
    "LANG",
    "PATHEXT",
    "PROCESSOR_ARCHITECTURE",
    "SYSTEMDRIVE",
    "SYSTEMROOT",
    "TEMP",
    "TMP",
    "TMPDIR",
    "WINDIR",
)
"""Variables of the real environment that a process needs, apart from PATH."""
QUIET = {
    "OPENCODE_DISABLE_AUTOUPDATE": "1",
    "OPENCODE_DISABLE_DEFAULT_PLUGINS": "1",
    # As in servers that a bridge starts: the index has blocked servers permanently.
    "OPENCODE_DISABLE_FFF": "1",
    "OPENCODE_DISABLE_LSP_DOWNLOAD": "1",
    "OPENCODE_DISABLE_MODELS_FETCH": "1",
    "OPENCODE_DISABLE_SHARE": "1",
    "OPENCODE_PURE": "1",
    # What the bridges of a killed test run have started ends by itself.
    "OPENCODE_MCP_STOP_AFTER": "120",
    "HTTP_PROXY": NOWHERE,
    "HTTPS_PROXY": NOWHERE,
    "NO_PROXY": "127.0.0.1,localhost",
    "npm_config_registry": NOWHERE,
}
BRIEF = {"BUN_JSC_useFTLJIT": "0", "BUN_JSC_useConcurrentGC": "0"}
"""Variables that save an OpenCode with little to do a fifth of its processor time: its runtime compiles less."""
FOLDERS = {
    "HOME": "home",
    "USERPROFILE": "home",
    "APPDATA": "home/roaming",
    "LOCALAPPDATA": "home/local",
    "XDG_CONFIG_HOME": "config",
    "XDG_DATA_HOME": "data",
    "XDG_STATE_HOME": "state",
    "XDG_CACHE_HOME": "cache",
}

INSTALLED = {"packages": {"": {"dependencies": {"@opencode-ai/plugin": "*"}}}}
"""Lock file of npm by which OpenCode takes its package for plugins to be installed."""

LOCKED = {
    "id": "anthropic",
    "name": "Anthropic",
    "npm": "@ai-sdk/anthropic",
    "env": ["ANTHROPIC_API_KEY"],
    "models": {
        "claude-sonnet-4-5": {
            "id": "claude-sonnet-4-5",
            "name": "Claude Sonnet 4.5",
            "attachment": True,
            "reasoning": True,
            "tool_call": True,
            "temperature": True,
            "release_date": "2025-09-29",
            "limit": {"context": 200_000, "output": 64_000},
            "cost": {"input": 3, "output": 15},
        }
    },
}
"""A provider that OpenCode knows and has no credentials for."""


def basics() -> dict[str, str]:
    """The least a process needs; PATH begins where the virtual environment keeps ``rg`` and ``opencode-mcp``."""
    kept = {name: os.environ[name] for name in KEPT if name in os.environ}
    return {**kept, "PATH": os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"]))}


def environment(folder: Path, model_url: str, config: Mapping[str, object] | None = None) -> dict[str, str]:
    """An environment in which OpenCode knows only the scripted model and writes only below ``folder``.

    Args:
        folder: Where home and all else of the user's is; its folders are made.
        model_url: Base URL of the scripted model, without ``/v1``.
        config: Further settings for OpenCode, over the usual ones.
    """
    places = {name: folder / place for name, place in FOLDERS.items()}
    for place in places.values():
        place.mkdir(parents=True, exist_ok=True)
    _install_nothing(places["XDG_CONFIG_HOME"] / "opencode")
    # OpenCode reads its list of all models anew for each directory: with a short one, that takes half the time.
    models = folder / "models.json"
    models.write_text(json.dumps({"anthropic": LOCKED}), encoding="utf-8")
    content = json.dumps({**configuration(model_url), **(config or {})})
    return {
        **basics(),
        **QUIET,
        **BRIEF,
        **{name: str(place) for name, place in places.items()},
        "OPENCODE_CONFIG_CONTENT": content,
        "OPENCODE_MODELS_PATH": str(models),
    }


def _install_nothing(settings: Path) -> None:
    """Keep OpenCode from an installation of packages into its folder of settings.

    It begins one for each directory that it opens. Without a network they take half a minute each, one after the other,
    and those that wait ask for the lock all the time: with 25 directories, a tenth of a processor.
    """
    (settings / "node_modules").mkdir(parents=True, exist_ok=True)
    (settings / "package-lock.json").write_text(json.dumps(INSTALLED), encoding="utf-8")


def without_snapshots(variables: Mapping[str, str]) -> None:
    """Have OpenCode take snapshots only in projects whose own settings say so: they take three quarters of a run."""
    folder = Path(variables["XDG_CONFIG_HOME"]) / "opencode"
    folder.mkdir(exist_ok=True)
    (folder / "opencode.json").write_text(json.dumps({"snapshot": False}), encoding="utf-8")


def configuration(model_url: str) -> dict[str, object]:
    """OpenCode's settings: the scripted provider, and with ``anthropic`` one whose credentials are missing."""
    return {
        "model": "scripted/m1",
        "small_model": "scripted/m1",
        "autoupdate": False,
        "share": "disabled",
        "enabled_providers": ["scripted", "anthropic"],
        "provider": {
            "scripted": {
                "name": "Scripted",
                "npm": "@ai-sdk/openai-compatible",
                "options": {"baseURL": f"{model_url}/v1", "apiKey": "scripted"},
                "models": {"m1": _model("M1"), "m2": _model("M2")},
            }
        },
    }


def _model(name: str) -> dict[str, object]:
    return {
        "name": name,
        "tool_call": True,
        "attachment": True,
        "reasoning": True,
        "modalities": {"input": ["text", "image", "pdf"], "output": ["text"]},
        "limit": {"context": 128_000, "output": 8192},
        "cost": {"input": 1, "output": 2},
    }
