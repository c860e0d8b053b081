"""The environment of an OpenCode 2 in a test: only the scripted model, and nothing of the user's."""

import json
from collections.abc import Mapping
from pathlib import Path

from tests.harness.processes.isolation import BRIEF, FOLDERS, NOWHERE, basics

QUIET = {
    "OPENCODE_DISABLE_AUTOUPDATE": "1",
    "OPENCODE_DISABLE_FFF": "1",
    "OPENCODE_DISABLE_MODELS_FETCH": "1",
    # What the bridges of a killed test run have started ends by itself.
    "OPENCODE_MCP_STOP_AFTER": "120",
    "HTTP_PROXY": NOWHERE,
    "HTTPS_PROXY": NOWHERE,
    "NO_PROXY": "127.0.0.1,localhost",
    "npm_config_registry": NOWHERE,
}


def environment(folder: Path, model_url: str, config: Mapping[str, object] | None = None) -> dict[str, str]:
    """An environment in which OpenCode 2 knows only the scripted model and writes only below ``folder``.

    Args:
        folder: Where home and all else of the user's is; its folders are made.
        model_url: Base URL of the scripted model, without ``/v1``.
        config: Further settings for OpenCode 2, in place of the usual ones of the same name.
    """
    places = {name: folder / place for name, place in FOLDERS.items()}
    for place in places.values():
        place.mkdir(parents=True, exist_ok=True)
    # OpenCode reads its list of all models anew for each directory.
    models = folder / "models.json"
    models.write_text("{}", encoding="utf-8")
    content = json.dumps({**configuration(model_url), **(config or {})})
    return {
        **basics(),
        **QUIET,
        **BRIEF,
        **{name: str(place) for name, place in places.items()},
        "OPENCODE_CONFIG_CONTENT": content,
        "OPENCODE_MODELS_PATH": str(models),
    }


def without_snapshots(variables: Mapping[str, str]) -> None:
    """Have OpenCode 2 take snapshots only in projects whose own settings say so: they take a third of a run."""
    folder = Path(variables["XDG_CONFIG_HOME"]) / "opencode"
    folder.mkdir(exist_ok=True)
    (folder / "opencode.json").write_text(json.dumps({"snapshots": False}), encoding="utf-8")


def configuration(model_url: str) -> dict[str, object]:
    """The settings of OpenCode 2 in its own form: the scripted provider and no other."""
    return {
        "model": "scripted/m1",
        "share": "disabled",
        "providers": {
            "scripted": {
                "name": "Scripted",
                "package": "aisdk:@ai-sdk/openai-compatible",
                "settings": {"baseURL": f"{model_url}/v1", "apiKey": "scripted"},
                "models": {"m1": _model("M1"), "m2": _model("M2")},
            }
        },
        "experimental": {
            "policies": [
                {"action": "provider.use", "resource": "*", "effect": "deny"},
                {"action": "provider.use", "resource": "scripted", "effect": "allow"},
            ]
        },
    }


def _model(name: str) -> dict[str, object]:
    return {
        "name": name,
        "capabilities": {"tools": True, "input": ["text", "image", "pdf"], "output": ["text"]},
        "limit": {"context": 128_000, "output": 8192},
        "cost": {"input": 1, "output": 2},
        "variants": [{"id": "high", "settings": {"reasoningEffort": "high"}}],
    }
