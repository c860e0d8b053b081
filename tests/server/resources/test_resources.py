"""The inventory of resources: laws that hold for each kind."""

import inspect

import pytest
from mcp.shared.uri_template import UriTemplate

from opencode_mcp.server import uris
from opencode_mcp.server.resources.completions import SOURCES
from opencode_mcp.server.resources.resources import RESOURCES, ResourceSpec, find_resource
from tests.harness.project_uri import project_uri

UNCOMPLETED = {"cursor", "limit"}
"""Arguments that nobody can guess the beginning of."""
NAMES = [spec.name for spec in RESOURCES]

every = pytest.mark.parametrize("spec", RESOURCES, ids=NAMES)


def test_names_titles_and_templates_are_each_distinguished() -> None:
    for field in ("name", "title", "template", "description"):
        values = [getattr(spec, field) for spec in RESOURCES]
        assert len(set(values)) == len(values)


@every
def test_each_is_described_to_a_person_in_few_words(spec: ResourceSpec) -> None:
    assert 0 < len(spec.title) <= 20
    assert 10 < len(spec.description) <= 160
    assert not spec.description.endswith(".")
    assert spec.title[0].isupper()
    assert spec.description[0].isupper()


@every
def test_each_says_its_type_unless_it_differs_from_one_to_the_other(spec: ResourceSpec) -> None:
    assert spec.mime_type in ({None} if spec.name == "file" else {"text/markdown", "application/json"})


@every
def test_each_says_whom_it_is_for_and_how_much_it_matters(spec: ResourceSpec) -> None:
    annotations = spec.as_template().annotations
    assert annotations is not None
    assert annotations.audience == ["user", "assistant"]
    assert 0 < (annotations.priority or 0) <= 1


@every
def test_each_reader_takes_the_arguments_of_its_template_and_only_those_of_the_query_may_be_missing(
    spec: ResourceSpec,
) -> None:
    template = UriTemplate.parse(spec.template)
    takes = list(inspect.signature(spec.read).parameters.values())[1:]
    assert [parameter.name for parameter in takes] == template.variable_names
    optional = {parameter.name for parameter in takes if parameter.default is not inspect.Parameter.empty}
    assert optional == template.query_variable_names


@every
def test_every_argument_of_a_template_can_be_completed(spec: ResourceSpec) -> None:
    assert set(UriTemplate.parse(spec.template).variable_names) <= SOURCES.keys() | UNCOMPLETED


@every
def test_a_fixed_address_is_one_of_its_own_template(spec: ResourceSpec) -> None:
    if spec.address:
        assert find_resource(spec.address) == (spec, {})
        assert spec.as_resource().uri == spec.address
    else:
        assert UriTemplate.parse(spec.template).variable_names


def test_no_address_leads_to_two_kinds() -> None:
    made = {
        "sessions": uris.sessions("x"),
        "project": project_uri("/x"),
        "opencode": uris.SKILL,
        "session": uris.session("ses_1"),
        "transcript": uris.transcript("ses_1", limit="3"),
        "changes": uris.diff("ses_1", "msg_1"),
        "todos": uris.todo("ses_1"),
        "message": uris.message("ses_1", "msg_1"),
        "run": uris.run("ses_1", "msg_1"),
        "file": uris.file("session/ses_1/transcript"),
    }
    assert list(made) == NAMES
    for name, uri in made.items():
        assert [spec.name for spec in RESOURCES if UriTemplate.parse(spec.template).match(uri) is not None] == [name]
