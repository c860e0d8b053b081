"""Principals in the text of a settings file: everything else in it is kept, or nothing is changed."""

import tomllib

import pytest

from opencode_mcp.errors import InvalidSetting
from opencode_mcp.http.principals.settings_file_edits import add_principal, remove_principal, set_value
from tests.harness.each import for_each

BEFORE = """# My settings
permissions = "human"  # a person

[permission_rules.bash]
"git status*" = "allow"
"""
TABLE = {"token_sha256": "a", "directories": ['/p "quoted" \\ ä'], "read_only": True, "max_cost": 2.5}


def test_a_principal_is_added_changed_and_removed_and_the_rest_stays_as_it_is() -> None:
    added = add_principal(BEFORE, "laptop", TABLE)
    assert added.startswith(BEFORE)
    assert tomllib.loads(added)["principals"] == {"laptop": TABLE}
    both = add_principal(added, "ci", TABLE | {"token_sha256": "b"})
    changed = set_value(both, "laptop", "token_sha256", "c")
    assert tomllib.loads(changed)["principals"]["laptop"]["token_sha256"] == "c"
    assert tomllib.loads(changed)["principals"]["ci"]["token_sha256"] == "b"
    assert remove_principal(remove_principal(changed, "laptop"), "ci").rstrip() == BEFORE.rstrip()


def test_an_empty_file_gets_a_principal() -> None:
    assert tomllib.loads(add_principal("", "laptop", TABLE))["principals"] == {"laptop": TABLE}


def test_tables_below_a_principal_are_removed_with_it() -> None:
    tables = ("[principals.a]", 'directories = ["/a"]', "[principals.a.permission_rules]", 'bash = "allow"')
    text = "\n".join([*tables, "[principals.ab]", "x = 1", ""])
    assert tomllib.loads(remove_principal(text, "a")) == {"principals": {"ab": {"x": 1}}}


def test_a_principal_without_a_value_gets_it() -> None:
    text = '[principals.a] # Anna\nsubjects = ["a"]\n[principals.a.claims]\ngroups = "x"\n'
    values = tomllib.loads(set_value(text, "a", "token_sha256", "c"))["principals"]["a"]
    assert values == {"subjects": ["a"], "claims": {"groups": "x"}, "token_sha256": "c"}


@for_each(
    "text",
    [
        'principals.laptop = { token_sha256 = "a" }\n',
        'principals = { laptop = { token_sha256 = "a" } }\n',
        '[principals]\nlaptop.token_sha256 = "a"\n',
        '[principals."laptop"]\ntoken_sha256 = "a"\n',
        '[principals.laptop]\ntoken_sha256 = [\n"a",\n]\n',
        'note = """\n[principals.laptop]\n"""\n[principals . laptop]\ntoken_sha256 = "a"\n',
    ],
)
def test_a_file_in_another_form_is_refused(text: str) -> None:
    assert "laptop" in tomllib.loads(text)["principals"]
    with pytest.raises(InvalidSetting, match="form that this command does not change"):
        set_value(text, "laptop", "token_sha256", "b")
    with pytest.raises(InvalidSetting, match="form that this command does not change"):
        add_principal(text, "laptop", TABLE)


def test_what_is_no_toml_is_refused() -> None:
    with pytest.raises(InvalidSetting):
        add_principal("= broken", "laptop", TABLE)
