"""The documentation names what there is."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from pydantic import BaseModel

from litegate.cli.commands import COMMANDS
from litegate.cli.main import main, parser
from litegate.exit_codes import ExitCode
from litegate.metrics.users import user_metric
from litegate.spec import Spec, reference_page
from litegate.spec.metric_facts import BUILT_IN, MetricFacts
from litegate.spec.section import section_in
from litegate.variants import TARGETS, VARIANTS

ROOT = Path(__file__).parents[1]
SPEC_PAGE = (ROOT / "docs/spec.md").read_text()


def test_the_spec_reference_is_that_of_the_schema() -> None:
    page = (ROOT / "docs/spec-reference.md").read_text()
    assert page == reference_page(), "`make docs` writes it anew"


def test_every_key_is_on_the_reference_page() -> None:
    def keys(section: type[BaseModel], prefix: str = "") -> list[str]:
        found = []
        for name, field in section.model_fields.items():
            inner = section_in(field.annotation)
            found += [prefix + name] if inner is None else keys(inner, f"{prefix}{name}.")
        return found

    documented = re.findall(r"^\| `([a-z0-9_.]+)` \|", (ROOT / "docs/spec-reference.md").read_text(), re.M)
    assert sorted(documented) == sorted(keys(Spec))


@pytest.mark.parametrize("name", [*VARIANTS, *TARGETS, *BUILT_IN])
def test_every_variant_target_and_metric_is_documented(name: str) -> None:
    assert f"`{name}`" in SPEC_PAGE


@pytest.mark.parametrize("facts", BUILT_IN.values(), ids=list(BUILT_IN))
def test_the_table_of_metrics_says_what_each_declares(facts: MetricFacts) -> None:
    (row,) = re.findall(rf"^\| `{facts.name}` \| (\w+) \| (.*?) \| (.*?) \|", SPEC_PAGE, re.M)
    span = f"from {facts.low:g}" if facts.high is None else f"{facts.low:g} to {facts.high:g}"
    assert row == (
        "higher" if facts.higher_is_better else "lower",
        span,
        "each sample" if facts.per_sample else "a whole set",
    )


def test_the_metric_of_the_documentation_works() -> None:
    (example,) = (code for code in re.findall(r"```python\n(.*?)```", SPEC_PAGE, re.S) if "class " in code)
    namespace: dict[str, type] = {}
    exec(example, namespace)
    metric = user_metric("metrics:Hamming", namespace["Hamming"]())
    assert (metric.facts.higher_is_better, metric.facts.low, metric.facts.high) == (False, 0, 64)
    bits = np.array([[0.9, 0.1], [0.2, 0.4]])
    assert metric.columns({"bits": bits}, np.array([[1, 0], [1, 1]]))["score"].tolist() == [0, 2]


def test_every_command_is_in_the_readme() -> None:
    commands = next(action for action in parser()._actions if action.dest == "command").choices or {}
    readme = (ROOT / "README.md").read_text()
    old = {command.name for command in COMMANDS if command.use}
    assert [name for name in commands if f"litegate {name}" not in readme and name not in old] == []


PAGES = ["README.md", "CONTRIBUTING.md", *(str(page.relative_to(ROOT)) for page in sorted(ROOT.glob("docs/**/*.md")))]


def test_the_readme_has_the_table_of_exit_codes() -> None:
    found = re.findall(r"^\| (\d+) \| (.+) \|$", (ROOT / "README.md").read_text().partition("### Exit codes")[2], re.M)
    assert [(int(code), meaning) for code, meaning in found] == [(code.value, code.__doc__) for code in ExitCode]


@pytest.mark.parametrize("page", PAGES)
def test_every_link_and_make_verb_leads_somewhere(page: str) -> None:
    path = ROOT / page
    text = path.read_text()
    links = [link for link in re.findall(r"\]\(([^)#]+)", text) if "://" not in link]
    assert [link for link in links if not (path.parent / link).exists()] == []
    verbs = set(re.findall(r"^([a-z0-9-]+):", (ROOT / "Makefile").read_text(), re.M))
    assert set(re.findall(r"`make ([a-z0-9-]+)", text)) <= verbs


@pytest.mark.parametrize("page", PAGES)
def test_every_link_to_a_heading_finds_it(page: str) -> None:
    path = ROOT / page
    links = [link for link in re.findall(r"\]\(([^)#\s]*)#([^)]+)\)", path.read_text()) if "://" not in link[0]]
    missing = [(to, name) for to, name in links if name not in headings((path.parent / to if to else path).read_text())]
    assert missing == []


def headings(text: str) -> list[str]:
    """The headings of a page, as links name them."""
    found = re.findall(r"^#+ (.*)$", text, re.M)
    return [re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in found]


def test_the_index_of_decisions_has_each_one_by_its_title() -> None:
    listed = re.findall(r"^- (\d+)\. \[(.+)\]\((\S+)\)$", (ROOT / "docs/adr/README.md").read_text(), re.M)
    pages = {path.name: path.read_text().splitlines()[0] for path in (ROOT / "docs/adr").glob("[0-9]*.md")}
    assert {file: f"# {number}. {title}" for number, title, file in listed} == pages
    assert len(listed) == len(pages), "each once"


def test_the_numbers_of_samples_are_those_that_the_command_plans(capsys: pytest.CaptureFixture[str]) -> None:
    rows = re.findall(r"^\| `(--.*?)` \| ([\d,]+) \|$", (ROOT / "docs/how-to/sample-size.md").read_text(), re.M)
    assert rows
    for options, samples in rows:
        assert main(["plan", *options.split(), "--json"]) == 0
        assert f'"samples_needed": {samples.replace(",", "")}' in capsys.readouterr().out


def test_every_test_that_a_page_names_exists() -> None:
    pages = "\n".join(page.read_text() for page in (ROOT / "docs").rglob("*.md"))
    named = set(re.findall(r"`(tests/\S+?)::(\w+)`", pages))
    assert len(named) > 100
    lost = [f"{path}::{test}" for path, test in named if not _has_test(ROOT / path, test)]
    assert lost == []


def _has_test(path: Path, name: str) -> bool:
    return path.is_file() and re.search(rf"^def {name}\(", path.read_text(), re.M) is not None
