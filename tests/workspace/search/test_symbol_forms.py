"""Definitions, recognised by their form in each language."""

import re

from hypothesis import given
from hypothesis import strategies as st

from opencode_mcp.workspace.search.symbol_forms import FORMS, SymbolDefinition, candidates, definition, rank
from tests.harness.each import for_each

DEFINITIONS = [
    ("a.py", "    async def fetch_all(self):", "fetch_all", "function"),
    ("a.py", "class Fetcher(Base):", "Fetcher", "class"),
    ("a.py", "FETCHED: int = 3", "FETCHED", "variable"),
    ("a.ts", "export const useFetch = () => 1", "useFetch", "variable"),
    ("a.ts", "  private async fetchIt(a: string): Promise<X> {", "fetchIt", "method"),
    ("a.tsx", "export default function FetchView(props) {", "FetchView", "function"),
    ("a.ts", "export interface FetchOptions {", "FetchOptions", "interface"),
    ("a.ts", "type Fetch<T> = () => T", "Fetch", "type"),
    ("a.go", "func (s *Server) Fetch(x int) error {", "Fetch", "function"),
    ("a.go", "type Fetcher struct {", "Fetcher", "type"),
    ("a.rs", "pub(crate) struct Fetch<T> {", "Fetch", "struct"),
    ("a.rs", "    pub async fn fetch(&self) {", "fetch", "function"),
    ("a.java", "  public static List<String> getFetched(int a) {", "getFetched", "method"),
    ("a.cs", "    public async Task<int> FetchAsync()", "FetchAsync", "method"),
    ("a.kt", "fun List<Int>.fetchSum() = 1", "fetchSum", "function"),
    ("a.swift", "struct Fetch: View {", "Fetch", "struct"),
    ("a.c", "static int fetch_it(void)", "fetch_it", "function"),
    ("a.h", "#define FETCH_MAX 3", "FETCH_MAX", "macro"),
    ("a.cpp", "void Client::fetch(int x) {", "fetch", "function"),
    ("a.rb", "  def self.fetch(x)", "fetch", "method"),
    ("a.php", "    public function fetchOne($x)", "fetchOne", "function"),
    ("a.sh", "fetch_it() {", "fetch_it", "function"),
    ("a.lua", "function Net.fetch(x)", "fetch", "function"),
    ("a.ex", "  defp fetch(x) do", "fetch", "function"),
    ("a.sql", "CREATE TABLE fetched (", "fetched", "table"),
]
USES = [
    ("a.py", "x = fetch(1)"),
    ("a.py", "    fetched = fetch(1)"),
    ("a.ts", "  if (fetch()) {"),
    ("a.ts", "  return fetch(x) {"),
    ("a.go", "\treturn Fetch(x)"),
    ("a.rs", "impl Fetch {"),
    ("a.c", "  return fetch_it(x);"),
    ("a.c", "fetch_it(x);"),
    ("a.md", "def fetch"),
    ("fetch", "def fetch"),
]


@for_each(("path", "text", "name", "kind"), DEFINITIONS)
def test_a_definition_is_known_with_its_whole_name_and_kind(path: str, text: str, name: str, kind: str) -> None:
    assert definition(path, 7, text, "fetch") == SymbolDefinition(name, kind, path, 7, text.strip())


@for_each(("path", "text", "name", "kind"), DEFINITIONS)
def test_the_one_expression_for_all_languages_finds_it(path: str, text: str, name: str, kind: str) -> None:
    assert path, kind
    assert re.search(candidates(name), text, re.MULTILINE)


@for_each(("path", "text"), USES)
def test_a_use_is_no_definition(path: str, text: str) -> None:
    assert definition(path, 1, text, "fetch") is None


@for_each("form", FORMS)
def test_each_form_names_the_name_once_and_its_languages(form: object) -> None:
    assert str(form).count("NAME") == 1


def test_the_same_name_comes_first_then_what_begins_with_it() -> None:
    names = ["refetch", "fetchAll", "Fetch", "fetch"]
    found = [SymbolDefinition(name, "function", "a.py", number, "") for number, name in enumerate(names)]
    assert [one.name for one in sorted(found, key=lambda one: rank(one, "fetch"))] == [
        "fetch",
        "Fetch",
        "fetchAll",
        "refetch",
    ]


@given(
    st.text(max_size=40), st.from_regex(r"[\w$]{1,10}", fullmatch=True), st.sampled_from(["a.py", "a.ts", "a.c", "a"])
)
def test_any_line_and_name_are_answered(text: str, name: str, path: str) -> None:
    found = definition(path, 1, text, name)
    assert found is None or name.casefold() in found.name.casefold()
