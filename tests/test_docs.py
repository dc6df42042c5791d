"""The documentation names what there is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from pydantic import BaseModel

from litegate.cli.main import parser
from litegate.spec import Spec
from litegate.variants import TARGETS, VARIANTS

ROOT = Path(__file__).parents[1]


def spec_keys(section: type[BaseModel], prefix: str = "") -> list[str]:
    keys = []
    for name, field in section.model_fields.items():
        nested = field.annotation
        if isinstance(nested, type) and issubclass(nested, BaseModel):
            keys += spec_keys(nested, f"{name}.")
        else:
            keys.append(prefix + name)
    return keys


def test_every_spec_key_is_documented_and_no_other() -> None:
    documented = re.findall(
        r"^\| `([a-z0-9_.]+)` \|", (ROOT / "docs/spec.md").read_text().split("## Variants")[0], re.M
    )
    assert sorted(documented) == sorted(spec_keys(Spec))


@pytest.mark.parametrize("name", [*VARIANTS, *TARGETS])
def test_every_variant_and_target_is_documented(name: str) -> None:
    assert f"`{name}`" in (ROOT / "docs/spec.md").read_text()


def test_every_command_is_in_the_readme() -> None:
    commands = next(action for action in parser()._actions if action.dest == "command").choices or {}
    readme = (ROOT / "README.md").read_text()
    assert [name for name in commands if f"litegate {name}" not in readme] == []


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md", *(f"docs/{p.name}" for p in ROOT.glob("docs/*.md"))])
def test_every_link_and_make_verb_leads_somewhere(page: str) -> None:
    path = ROOT / page
    text = path.read_text()
    links = [link for link in re.findall(r"\]\(([^)#]+)", text) if "://" not in link]
    assert [link for link in links if not (path.parent / link).exists()] == []
    verbs = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.M))
    assert set(re.findall(r"`make ([a-z]+)", text)) <= verbs
