"""The status shows the settings that limit a caller as flags, and nothing secret."""

from opencode_mcp.server.status_settings import flags_of
from opencode_mcp.settings import Settings


def test_only_what_was_set_is_shown_besides_who_answers() -> None:
    assert flags_of(Settings()) == ["--permissions human"]


def test_each_value_is_shown_as_its_flag_takes_it() -> None:
    settings = Settings(
        allow=("execute", "mcp.add"),
        read_only=True,
        max_cost=0.5,
        max_steps=3,
        permission_rules={"edit": {}, "bash": {}},
        password="secret",
    )
    assert flags_of(settings) == [
        *("--permissions human", "--read-only", "--allow execute,mcp.add", "--max-cost 0.5", "--max-steps 3"),
        "permission_rules for bash, edit",
    ]
