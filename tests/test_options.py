"""Values that each kind of setting accepts, and its errors for others."""

import os
from collections.abc import Callable

import pytest

from opencode_mcp.errors import InvalidSetting
from opencode_mcp.options import (
    DECIDERS,
    OPTIONS,
    Option,
    as_attach,
    as_command,
    as_cost,
    as_decider,
    as_directories,
    as_hosts,
    as_http,
    as_log_level,
    as_minutes,
    as_model,
    as_origins,
    as_proxies,
    as_rules,
    as_steps,
    as_switch,
    as_text,
    as_texts,
    as_url,
    as_wait,
)
from tests.harness.each import for_each

HERE = os.path.abspath(os.sep)  # noqa: PTH100 - settings are texts

Reader = Callable[[object], object]


@for_each(
    ("read", "given", "value"),
    [
        (as_text, "any", "any"),
        (as_texts, "one", ("one",)),
        (as_texts, ["one", "two"], ("one", "two")),
        (as_switch, True, True),
        (as_switch, "Yes", True),
        (as_switch, "off", False),
        (as_switch, "0", False),
        (as_url, "http://127.0.0.1:4096/", "http://127.0.0.1:4096"),
        (as_url, "https://host", "https://host"),
        (as_directories, [HERE], (HERE,)),
        (as_directories, HERE, (HERE,)),
        (as_model, "anthropic/claude-opus", "anthropic/claude-opus"),
        (as_model, "router/vendor/model", "router/vendor/model"),
        (as_attach, "service", "service"),
        (as_http, "127.0.0.1:8700", "127.0.0.1:8700"),
        (as_http, "[::1]:0", "[::1]:0"),
        (as_http, "unix:" + HERE, "unix:" + HERE),
        (as_origins, "HTTPS://A.Example", ("https://a.example",)),
        (as_hosts, "Bridge.Example, [::1]:8700", ("bridge.example", "[::1]:8700")),
        (as_proxies, "127.0.0.1, 10.0.0.0/8, ::1", ("127.0.0.1", "10.0.0.0/8", "::1")),
        (as_origins, "https://a.example, http://localhost:3000", ("https://a.example", "http://localhost:3000")),
        (as_log_level, "debug", "DEBUG"),
        (as_decider, "agent", "agent"),
        (as_wait, "0", 0.0),
        (as_wait, 3600, 3600.0),
        (as_wait, "1.5", 1.5),
        (as_cost, "0.5", 0.5),
        (as_minutes, 90, 90.0),
        (as_steps, "20", 20),
        (as_command, "notify --to me", ("notify", "--to", "me")),
        (as_command, ["notify", "two words"], ("notify", "two words")),
        (as_rules, {"bash": "human"}, {"bash": {"*": "human"}}),
        (as_rules, {"bash": {"git *": "allow", "*": "agent"}}, {"bash": {"git *": "allow", "*": "agent"}}),
    ],
)
def test_a_good_value_is_read(read: Reader, given: object, value: object) -> None:
    assert read(given) == value


@for_each(
    ("read", "given", "said"),
    [
        (as_text, 3, "must be a text"),
        (as_texts, 3, "must be a list of texts"),
        (as_texts, ["one", 2], "must be a list of texts"),
        (as_switch, "maybe", "must be true or false"),
        (as_switch, "", "must be true or false"),
        (as_switch, 1, "must be true or false"),
        (as_url, "127.0.0.1:4096", "looks like http://127.0.0.1:4096"),
        (as_url, "ftp://host", "'ftp://host' is not a URL"),
        (as_url, "http://", "is not a URL"),
        (as_url, "http://[bad", "is not a URL"),
        (as_url, "http://host:99999", "is not a URL"),
        (as_url, "http://host:port", "is not a URL"),
        (as_url, "http://me:hush@host", "--username and --password"),
        (as_directories, ["project"], "'project' is relative"),
        (as_directories, [HERE, "./x"], "absolute path"),
        (as_model, "opus", "'opus' names no provider"),
        (as_model, "/opus", "names no provider"),
        (as_model, "anthropic/", "names no provider"),
        (as_attach, "", "must be one of service"),
        (as_http, "8700", "looks like 127.0.0.1:8700"),
        (as_http, "127.0.0.1", "looks like 127.0.0.1:8700"),
        (as_http, "host:port", "looks like 127.0.0.1:8700"),
        (as_http, "http://127.0.0.1:8700", "looks like 127.0.0.1:8700"),
        (as_http, "unix:socket", "is relative"),
        (as_origins, ["https://page.example/path"], "is not an origin"),
        (as_origins, ["*"], "is not an origin"),
        (as_origins, ["https://*.example"], "is not an origin"),
        (as_origins, ["https://me@page.example"], "is not an origin"),
        (as_hosts, ["https://bridge.example/mcp"], "is not the name of a host"),
        (as_hosts, ["bridge.example/mcp"], "is not the name of a host"),
        (as_hosts, ["*.example"], "is not the name of a host"),
        (as_proxies, ["*"], "is not an address or a network"),
        (as_proxies, ["proxy.example"], "is not an address or a network"),
        (as_proxies, ["10.0.0.1/8"], "is not an address or a network"),
        (as_attach, "daemon", "must be one of service"),
        (as_log_level, "LOUD", "DEBUG, INFO, WARNING, ERROR"),
        (as_decider, "nobody", "allow, agent, human, reject"),
        (as_wait, "-1", "0 to 3600 seconds"),
        (as_wait, 3601, "0 to 3600 seconds"),
        (as_wait, "soon", "'soon' is not a number of seconds"),
        (as_wait, "nan", "is not a number of seconds"),
        (as_cost, "0", "'0' is not an amount of US dollars. It must be a number above 0"),
        (as_cost, "inf", "is not an amount of US dollars"),
        (as_minutes, "-5", "is not a number of minutes"),
        (as_command, "  ", "It is empty. Name a program"),
        (as_command, 'notify "me', "cannot be split into arguments"),
        (as_steps, "2.5", "It must be a whole number above 0"),
        (as_rules, "human", "must be a table"),
        (as_rules, {"bash": {"*": "nobody"}}, "'nobody'"),
        (as_rules, {"bash": 3}, "must be a text"),
    ],
)
def test_a_wrong_value_is_refused_with_what_would_be_right(read: Reader, given: object, said: str) -> None:
    with pytest.raises(InvalidSetting) as refused:
        read(given)
    assert said in str(refused.value)
    assert "hush" not in str(refused.value)


def test_deciders_go_from_the_loosest_to_the_strictest() -> None:
    assert DECIDERS == ("allow", "agent", "human", "reject")


@for_each("option", OPTIONS)
def test_a_flag_is_the_name_with_dashes_but_for_the_repeatable_directory(option: Option) -> None:
    expected = "--directory" if option.name == "directories" else "--" + option.name.replace("_", "-")
    assert option.spelling == expected


def test_no_variable_belongs_to_two_options() -> None:
    variables = [name for option in OPTIONS for name in option.variables]
    assert len(variables) == len(set(variables))
