"""Forms of definitions in common languages, for servers on which OpenCode knows no symbols.

Pure. One expression finds lines that may define a name in any language; the forms of the file's own language then
decide whether a line does, and what kind of symbol it defines.
"""

import re
from dataclasses import dataclass
from functools import cache, lru_cache

LINE_CHARACTERS = 400
"""Longest line that is examined, in characters: the cost of the forms grows more than linearly."""
# The modifiers that may precede a member of a class.
MODIFIERS = (
    "public|private|protected|internal|static|final|abstract|override|virtual|async|sealed|readonly|"
    "synchronized|native|default|get|set|inline|open|suspend|unsafe|partial|extern|constexpr"
)


@dataclass(frozen=True, slots=True)
class DefinitionForm:
    """Form of a definition; ``NAME`` stands for the name."""

    kind: str
    """Kind of the symbol in the language; empty if it is the first word of the form."""
    pattern: str
    """Expression that Python and ripgrep interpret in the same way."""
    suffixes: str
    """Suffixes of the files that it applies to."""


SCRIPTS = ".js .jsx .mjs .cjs .ts .tsx .mts .cts .vue .svelte"
C_LIKE = ".c .h .cc .cpp .cxx .hh .hpp .hxx .m .mm .cu .ino"
SHELLS = ".sh .bash .zsh .ksh"
MANAGED = ".java .kt .kts .scala .swift .cs .dart .groovy"

FORMS = (
    DefinitionForm("function", r"^\s*(?:async\s+)?def\s+NAME", ".py .pyi"),
    DefinitionForm("class", r"^\s*class\s+NAME", ".py .pyi"),
    DefinitionForm("variable", r"^NAME\s*(?::[^=]+)?=", ".py .pyi"),
    DefinitionForm("function", r"\bfunction\s*\*?\s*NAME\s*[(<]", SCRIPTS),
    DefinitionForm("", r"\b(class|interface|enum|namespace)\s+NAME\b", SCRIPTS),
    DefinitionForm("type", r"^\s*(?:export\s+)?(?:declare\s+)?type\s+NAME\s*[=<]", SCRIPTS),
    DefinitionForm("variable", r"^\s*(?:export\s+)?(?:const|let|var)\s+NAME\b", SCRIPTS),
    DefinitionForm("method", rf"^\s+(?:(?:{MODIFIERS})\s+)*[*#]?NAME\s*\([^)]*\)\s*(?::[^{{=;]+)?\{{", SCRIPTS),
    DefinitionForm("function", r"^func\s+(?:\([^)]*\)\s*)?NAME\s*[(\[]", ".go"),
    DefinitionForm("", r"^\s*(type|var|const)\s+NAME\b", ".go"),
    DefinitionForm("function", r"\bfn\s+NAME\s*[(<]", ".rs .zig"),
    DefinitionForm("", r"\b(struct|enum|trait|union|type|mod|const|static)\s+NAME\b", ".rs"),
    DefinitionForm("macro", r"\bmacro_rules!\s*NAME\b", ".rs"),
    DefinitionForm(
        "", r"\b(class|interface|enum|record|struct|object|trait|protocol|extension|actor)\s+NAME\b", MANAGED
    ),
    DefinitionForm("function", r"\b(?:fun|func|def)\s+(?:<[^>]*>\s*)?(?:[\w<>?]+\.)?NAME\s*[(<\[]", MANAGED),
    DefinitionForm("method", rf"^\s*(?:(?:{MODIFIERS})\s+)+[\w<>\[\],.?\s]*\s?NAME\s*\(", MANAGED),
    DefinitionForm("", r"\b(struct|class|union|enum|namespace)\s+(?:class\s+)?NAME\s*(?:final\s*)?(?:[:{]|$)", C_LIKE),
    DefinitionForm("macro", r"^\s*#\s*define\s+NAME\b", C_LIKE),
    DefinitionForm("type", r"^\s*typedef\b.*\bNAME\s*;", C_LIKE),
    DefinitionForm("type", r"^\s*using\s+NAME\s*=", C_LIKE),
    DefinitionForm("function", r"^[A-Za-z_][\w\s*&:<>,~]*[\s*&:]NAME\s*\([^;]*$", C_LIKE),
    DefinitionForm("method", r"^\s*def\s+(?:self\.)?NAME", ".rb .rake"),
    DefinitionForm("", r"^\s*(class|module)\s+(?:\w+::)*NAME\b", ".rb .rake"),
    DefinitionForm("function", r"\bfunction\s+&?NAME\s*\(", ".php"),
    DefinitionForm("", r"\b(class|interface|trait|enum)\s+NAME\b", ".php"),
    DefinitionForm("function", r"^\s*(?:function\s+)?NAME\s*\(\s*\)", SHELLS),
    DefinitionForm("function", r"^\s*function\s+NAME\b", SHELLS),
    DefinitionForm("function", r"\bfunction\s+(?:\w+[.:])*NAME\s*\(", ".lua"),
    DefinitionForm("function", r"^\s*defp?\s+NAME", ".ex .exs"),
    DefinitionForm("module", r"^\s*defmodule\s+(?:\w+\.)*NAME\b", ".ex .exs"),
    DefinitionForm(
        "", r"(?i:\bcreate\s+(?:or\s+replace\s+)?(table|view|function|procedure|index|type)\s)\s*\S*NAME\b", ".sql"
    ),
)


@dataclass(frozen=True, slots=True)
class SymbolDefinition:
    """Line that defines a name."""

    name: str
    kind: str
    path: str
    line: int
    text: str


def candidates(query: str) -> str:
    """Return the expression for lines that may define a name containing the query, in any language."""
    patterns = dict.fromkeys(form.pattern for form in FORMS)
    return "|".join(f"(?:{_with_name(pattern, query, '?:')})" for pattern in patterns)


def definition(path: str, line: int, text: str, query: str) -> SymbolDefinition | None:
    """Return the definition in a line by the forms of its file's language; ``None`` if it defines no such name."""
    text = text[:LINE_CHARACTERS]
    for form in _forms_of(path.rpartition("/")[2].rpartition(".")[2].lower()):
        found = _compiled(form.pattern, query).search(text)
        if found:
            kind = form.kind or next(group for group in found.groups() if group).lower()
            return SymbolDefinition(found["name"], kind, path, line, text.strip())
    return None


def rank(found: SymbolDefinition, query: str) -> tuple[bool, bool, bool, str, int]:
    """Return the sort key: the same name, then one in another case, then names that begin with it, then the rest."""
    name, wanted = found.name.casefold(), query.casefold()
    return found.name != query, name != wanted, not name.startswith(wanted), found.path, found.line


@cache
def _forms_of(suffix: str) -> tuple[DefinitionForm, ...]:
    return tuple(form for form in FORMS if f".{suffix}" in form.suffixes.split())


@lru_cache(maxsize=256)
def _compiled(pattern: str, query: str) -> re.Pattern[str]:
    return re.compile(_with_name(pattern, query, "?P<name>"))


def _with_name(pattern: str, query: str, group: str) -> str:
    return pattern.replace("NAME", rf"\b({group}\w*(?i:{re.escape(query)})\w*)")
