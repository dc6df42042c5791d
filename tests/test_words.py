"""One word for one thing: the old words of the glossary do not come back, and what has them in files still works."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from litegate.cli.commands import COMMANDS
from litegate.cli.renamed import with_old_fields

ROOT = Path(__file__).parents[1]
GLOSSARY = (ROOT / "docs/glossary.md").read_text()
OLD_NAMES = "## Words of earlier releases"

TERMS = (
    "lookup_cache",
    "snapshot",
    "frozen",
    "override run",
    "blocked",
    "revoked",
    "pending approval",
    "decision",
    "act",
    "champion",
    "benchmark",
    "conversion check",
    "interim analysis",
    "allowance",
    "registered-model alias",
    "promotion log, log entry",
    "priority",
    "dataset",
)

# Words that have no other meaning here. `held`, `waiting`, `place`, `look`, `reach`, `entry` and `answer` have one.
OLD_WORDS = re.compile(
    r"\b(data[ -]sets?|incumbents?|recalled|parity|unpin(s|ned)?|litegate pin|barred|trials?|planned looks?)\b", re.I
)
CODE = ("components/litegate", "operators/litegate_airflow", "dags")

# Where an old word stands because the text is about it, or in another sense.
ALLOWED = {
    "CHANGELOG.md": {"unpin", "unpinned", "trial", "parity", "barred"},
    "docs/promotion.md": {"litegate pin", "unpin", "unpinned"},
    "components/litegate/records/promotion.py": {"unpinned"},
    "components/litegate/records/results.py": {"trial"},
    "components/litegate/tracking/overrides.py": {"trial"},
    "components/litegate/cli/commands/channels.py": {"unpin"},
    "components/litegate/cli/history.py": {"barred"},
}

PAGES = ("README", "docs/tutorial", "docs/gate", "docs/promotion", "docs/operations", "docs/report", "docs/airflow")


def documents() -> Iterator[tuple[str, str]]:
    """Every page by its path; the glossary without its table of old words."""
    for path in sorted((*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"))):
        text = path.read_text()
        yield str(path.relative_to(ROOT)), text.partition(OLD_NAMES)[0] if path.name == "glossary.md" else text


def texts() -> Iterator[tuple[str, str]]:
    """Every message and docstring of the code: the texts of each module, by its path."""
    for folder in CODE:
        for path in sorted((ROOT / folder).glob("**/*.py")):
            name = str(path.relative_to(ROOT))
            nodes = ast.walk(ast.parse(path.read_text()))
            found = [node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)]
            yield name, "\n".join(found)
        for path in sorted((ROOT / folder).glob("**/*.html")):
            yield str(path.relative_to(ROOT)), path.read_text()


@pytest.mark.parametrize("every", [documents, texts], ids=["documents", "messages"])
def test_old_words_do_not_come_back(every) -> None:
    found = {
        (name, word[0])
        for name, text in every()
        for word in OLD_WORDS.finditer(text)
        if word[0].lower() not in ALLOWED.get(name, set())
    }
    assert found == set()


@pytest.mark.parametrize("term", TERMS)
def test_the_glossary_has_every_term(term: str) -> None:
    assert re.search(rf"^\| {re.escape(term)}[, |]", GLOSSARY, re.M)


@pytest.mark.parametrize("page", [*PAGES, "docs/mlflow"])
def test_a_page_leads_to_the_glossary_where_a_term_first_appears(page: str) -> None:
    head = (ROOT / f"{page}.md").read_text()
    assert "glossary.md#" in head


def test_every_old_name_of_a_command_takes_what_the_new_one_takes() -> None:
    by_name = {command.name: command for command in COMMANDS}
    old = {command.name: command.use for command in COMMANDS if command.use}
    assert old == {"pin": "freeze", "unpin": "unfreeze"}
    assert all(by_name[name].arguments is by_name[use].arguments for name, use in old.items())


def test_json_keeps_its_old_fields_and_names_the_ones_to_read() -> None:
    assert with_old_fields({"frozen": 3, "other": 1}, {"pin": "frozen"}) == {
        "frozen": 3,
        "other": 1,
        "pin": 3,
        "deprecated": {"pin": "frozen"},
    }


def test_the_glossary_says_what_still_takes_an_old_word() -> None:
    table = GLOSSARY.partition(OLD_NAMES)[2]
    for old in (
        "`litegate pin` and `unpin`",
        "`trial` of MLflow runs",
        "`outcome` in the JSON",
        "`barred` in the JSON",
    ):
        assert old in table
