"""Every sentence that people read stands in `wording.toml` or a template, is said somewhere, and gets the values that it names."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from string import Formatter

import pytest

from bot import wording

BOT = Path(wording.__file__).parent
ELSEWHERE = ("migrations/", "models/", "sandbox/", "providers/", "metrics.py")
"""SQL and schema; the play on this machine, which speaks of itself; tables in which a provider's code and what it means are one fact."""
CODE = sorted(path.relative_to(BOT).as_posix() for path in BOT.rglob("*.py"))
ROOMS = [path for path in CODE if not path.startswith(ELSEWHERE) or path == "providers/explaining.py"]

_SENTENCE = re.compile(
    r"[A-Za-z’']{2,},? (?:[a-z’']{2,}|\{\})|\b[a-z]{2,} \{\}|\{\} [a-z]{2,}|[A-Z][a-z’']+ [A-Z][a-z’']+"
)
_LABEL = re.compile(r"[^a-z]*[A-Z][a-z’']+[^a-zA-Z]*|[A-Z]{2,}")
_SQL = re.compile(
    r"\b(SELECT|FROM|WHERE|INSERT|INTO|UPDATE|DELETE|JOIN|CREATE|ALTER|DROP|ORDER|GROUP|BY|SET|RESET|SHOW|AND|OR|NOT|NULL|IS|AS|CASE"
    r"|WHEN|THEN|END|ON|IN|LIKE|COPY|LOCK|TABLE|WITH|TRUNCATE|ANALYZE|VALUES|DISTINCT|INDEX|IF|EXISTS)\b"
)
_UNSAID = {
    "text",
    "compile",
    "addFilter",
    "quietly",
    "alone",
    "removeprefix",
    "TypeVar",
    "Typer",
    "Option",
    "Argument",
    "callback",
}
"""Calls whose words are SQL, patterns, for logs, locks, types, and the help that typer makes of options."""
NOT_SAID = {
    "filters/words.py": ".*",  # What people type, as are the next four.
    "filters/filter.py": r"grade .*|student .*|teacher .*|school .*|page \{\}",
    "filters/grammar.py": r"(forecast|pending|subscribe) grade 5|no number|no adult|.* off|.*'Brien|.*García|.*Lincoln",
    "filters/reading.py": r"grade \{\}",
    "results.py": r"[a-z]+ [a-z]+( id)?",  # Columns and words of a sender's file, in small letters.
    "sis/contacts_csv.py": r"([A-Za-z_1-]+, )*(SIS ID, )?[A-Za-z_1-]+|contact id|phone type",  # Titles of columns, and our own.
    "sis/oneroster_calls.py": r"Bearer \{\}",  # HTTP.
    "sis/oneroster_rest.py": "roles of users",  # Stands for the name of a file.
    "roster/seed.py": r"the district|\(\{\} AND as_staff\)",  # An id of ours, and SQL.
    "contact_edits/removal.py": r"all students|student \{\}",  # Kept in the audit, and read from there.
    "slack/contact_more.py": "all students",
    "slack/bulk_dialog.py": "Seen|Chosen",  # Types.
    "listing/evidence.py": r"\(.*",  # Pieces of SQL, as are the next four.
    "digests/counting.py": r"outcome = .*",
    "notices/outbox.py": r"\{\} days",
    "roster/merge.py": r"live\.\{\} AS live_\{\}|coalesce\(.*|true AS active",
    "sis_changes/files.py": r"[A-Z][A-Za-z]+( [A-Z][A-Za-z]+)+",  # Columns of PowerSchool.
    "slack/blocks.py": "UW",  # How ids of Slack begin.
    "slack/edit_dialog.py": "US",  # A region.
    "slack/digest.py": r"[a-zS][^.]*",  # Why a digest was not posted, without a full stop: kept with it, for whoever runs us.
    "digests/outbox.py": "the process that posted it stopped",
    "errors.py": r"\{\} at \{\}|an unknown place",  # For logs.
}
"""What looks like a sentence and is none."""


def _tree(path: str) -> ast.Module:
    return ast.parse((BOT / path).read_text(encoding="utf-8"))


def _called(node: ast.Call) -> str:
    return node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")


def _written(node: ast.expr) -> str | None:
    """What stands in a literal; values are `{}`."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values)
    return None


def _literals(node: ast.AST) -> Iterator[tuple[int, str]]:
    """Every text in the code that is no docstring and goes to no log."""
    if isinstance(node, ast.Call) and (_called(node) in _UNSAID or ast.unparse(node.func).startswith("logger.")):
        return
    if isinstance(node, ast.expr) and (written := _written(node)) is not None:
        yield node.lineno, written
        inside = [part.value for part in getattr(node, "values", []) if isinstance(part, ast.FormattedValue)]
        for value in inside:
            yield from _literals(value)
        return
    for child in ast.iter_child_nodes(node):
        if not (isinstance(child, ast.Expr) and isinstance(child.value, ast.Constant)):
            yield from _literals(child)


def _is_prose(text: str, path: str) -> bool:
    is_sql = len(set(_SQL.findall(text))) > 1 or _SQL.match(text.strip())
    if is_sql or re.fullmatch(NOT_SAID.get(path, ""), text):
        return False
    return bool(_SENTENCE.search(text) or (path.startswith("slack/") and _LABEL.fullmatch(text)))


def _says(path: str) -> Iterator[tuple[ast.Call, str]]:
    """Each call of `say`, and the name it says; `{}` where a part of the name is only known later."""
    for node in ast.walk(_tree(path)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "say":
            names = node.args[0]
            for one in [names.body, names.orelse] if isinstance(names, ast.IfExp) else [names]:
                yield node, _written(one) or "{}"


def _places(sentence: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(sentence) if name is not None}


def _meant(name: str) -> dict[str, str]:
    """The sentences that a name, perhaps with a hole, may mean, without the forms of a number."""
    pattern = re.compile(re.escape(name).replace(r"\{\}", "[a-z0-9_-]+") + r"(\.one|\.many)?")
    return {found: said for found, said in wording.sentences().items() if pattern.fullmatch(found)}


SAID = [(path, call, name) for path in ROOMS for call, name in _says(path)]


@pytest.mark.parametrize("path", ROOMS)
def test_no_sentence_stands_in_the_code(path: str):
    found = [f"{path}:{line}: {text}" for line, text in _literals(_tree(path)) if _is_prose(text, path)]
    assert not found, "\n".join(found)


@pytest.mark.parametrize(("path", "call", "name"), SAID)
def test_what_the_code_says_is_written_and_gets_the_values_that_it_names(path, call, name):
    meant = _meant(name)
    is_counted = len(call.args) > 1
    given = {word.arg for word in call.keywords if word.arg} | ({"count"} if is_counted else set())
    passed_on = any(word.arg is None for word in call.keywords)
    named = [_places(said) for said in meant.values()]
    assert meant, f"{path}:{call.lineno}: nothing is called {name}"
    assert {found.endswith((".one", ".many")) for found in meant} == {is_counted}
    assert given <= set.union(*named) | {"count"}
    assert passed_on or all(one <= given for one in named)


@pytest.mark.parametrize("path", ROOMS)
def test_an_error_for_people_is_said(path):
    raised = [node for node in ast.walk(_tree(path)) if isinstance(node, ast.Call) and _called(node) == "UserError"]
    assert not [node.lineno for node in raised if _written(node.args[0]) is not None]


def test_each_sentence_is_said_somewhere():
    said = {found for _, _, name in SAID for found in _meant(name)}
    assert not sorted(name for name in wording.sentences() if name not in said)


def test_what_is_exempt_is_there():
    written = {path: [text for _, text in _literals(_tree(path))] for path in NOT_SAID}
    assert not [
        path for path, pattern in NOT_SAID.items() if not any(re.fullmatch(pattern, text) for text in written[path])
    ]


def test_say_is_known_by_its_name_only():
    """The checks above find `say(...)`, and no `wording.say(...)` or another name of it."""
    for path in CODE:
        for node in ast.walk(_tree(path)):
            if isinstance(node, ast.ImportFrom) and node.module == "bot.wording":
                assert [one.asname for one in node.names if one.asname] == [], path
            if isinstance(node, ast.ImportFrom) and node.module == "bot":
                assert "wording" not in [one.name for one in node.names], path


def test_what_is_said_of_a_number_has_both_forms():
    names = set(wording.sentences())
    ones = {name.removesuffix(".one") for name in names if name.endswith(".one")}
    assert ones == {name.removesuffix(".many") for name in names if name.endswith(".many")}


def test_the_number_chooses_the_form():
    assert [wording.say("count.student", number) for number in (0, 1, 1204)] == [
        "0 students",
        "1 student",
        "1,204 students",
    ]


def test_a_value_that_nobody_gave_is_an_error_and_no_empty_place():
    with pytest.raises(KeyError):
        wording.say("edit_dialog.saved", name="Ana")
