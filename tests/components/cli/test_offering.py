from __future__ import annotations

from pathlib import Path

import pytest

from litegate.cli.main import main
from litegate.cli.offering import check_owner, offer_spec
from litegate.errors import SpecError
from litegate.stack import Home

SPEC = """
model: {{name: {name}, uri: model.keras}}
calibration: {{uri: data.npz, format: npz}}
evaluation: {{uri: data.npz, format: npz}}
gate: {{max_drop: 0.02}}
"""


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(tmp_path / "home")
    home.prepare()
    return home


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    path = tmp_path / "any name.yaml"
    path.touch()
    return path


def test_a_spec_is_offered_by_a_link_named_after_its_model(home, spec, tmp_path):
    offer_spec(home, spec, "tiny", tmp_path / "dags")

    assert [(link.name, link.readlink()) for link in home.specs.iterdir()] == [("tiny.yaml", spec)]


def test_offering_the_same_spec_again_changes_nothing_and_another_one_replaces_it(home, spec, tmp_path):
    first = offer_spec(home, spec, "tiny", tmp_path / "dags")
    assert offer_spec(home, spec, "tiny", tmp_path / "dags") == first
    spec.write_text("# edited")
    assert offer_spec(home, spec, "tiny", tmp_path / "dags") != first

    other = tmp_path / "other.yaml"
    other.touch()
    offer_spec(home, other, "tiny", tmp_path / "dags")
    assert (home.specs / "tiny.yaml").readlink() == other


def test_a_spec_beside_the_dags_needs_no_link_and_loses_one_that_would_hide_it(home, spec, tmp_path):
    folder = tmp_path / "dags" / "model_specs"
    folder.mkdir(parents=True)
    offer_spec(home, spec, "tiny", tmp_path / "dags")

    offer_spec(home, spec.rename(folder / "tiny.yaml"), "tiny", tmp_path / "dags")

    assert list(home.specs.iterdir()) == []


def written(path: Path, name: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(SPEC.format(name=name))
    return path


def test_a_name_that_another_spec_file_has_is_refused_with_what_replaces_it(home, tmp_path):
    first, second = written(tmp_path / "first.yaml", "kws"), written(tmp_path / "second.yaml", "kws")
    offer_spec(home, first, "kws", tmp_path / "dags")

    check_owner(home, first, "kws")
    with pytest.raises(SpecError) as refused:
        check_owner(home, second, "kws")
    gives = f"`litegate run {second} --replace` gives it to this one"
    assert str(refused.value) == (
        f"{second}: model.name: expected a name that no other spec file has; {gives}, "
        f"got 'kws', which is that of {first}"
    )


def test_a_file_that_has_taken_the_name_needs_to_be_told_no_more_and_the_other_one_does(home, tmp_path):
    first, second = written(tmp_path / "first.yaml", "kws"), written(tmp_path / "second.yaml", "kws")
    offer_spec(home, first, "kws", tmp_path / "dags")
    offer_spec(home, second, "kws", tmp_path / "dags")

    check_owner(home, second, "kws")
    with pytest.raises(SpecError, match=str(second)):
        check_owner(home, first, "kws")


@pytest.mark.parametrize("left", ["removed", "renamed", "broken"])
def test_a_file_that_has_the_name_no_more_keeps_it_from_nobody(left, home, tmp_path):
    first, second = written(tmp_path / "first.yaml", "kws"), written(tmp_path / "second.yaml", "kws")
    offer_spec(home, first, "kws", tmp_path / "dags")
    if left == "removed":
        first.unlink()
    else:
        first.write_text(SPEC.format(name="other") if left == "renamed" else "model: [")

    check_owner(home, second, "kws")


def test_a_spec_beside_the_dags_has_its_name_too(home, tmp_path):
    beside = written(tmp_path / "dags" / "model_specs" / "kws.yaml", "kws")
    mine = written(tmp_path / "mine.yaml", "kws")

    check_owner(home, beside, "kws", tmp_path / "dags")
    with pytest.raises(SpecError, match=f"which is that of {beside}"):
        check_owner(home, mine, "kws", tmp_path / "dags")
    offer_spec(home, mine, "kws", tmp_path / "dags")
    with pytest.raises(SpecError, match=f"which is that of {mine}"):
        check_owner(home, beside, "kws", tmp_path / "dags")


def test_a_run_of_another_file_ends_before_any_server_is_started(home, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("model.keras", "data.npz"):
        (tmp_path / name).touch()
    offer_spec(home, written(tmp_path / "first.yaml", "kws"), "kws", tmp_path / "dags")
    written(tmp_path / "second.yaml", "kws")

    assert main(["run", "second.yaml"]) == 2
    assert "`litegate run second.yaml --replace` gives it to this one" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--set", "gate.max_drp=0.1"], "the unknown key 'gate.max_drp' (did you mean gate.max_drop?)"),
        (["--set", "gate.max_drop=much"], "--set: gate.max_drop: expected a valid number"),
        (["--set", "gate.max_drop"], "--set: expected KEY=VALUE, such as gate.max_drop=0.005, got 'gate.max_drop'"),
        (["--set", "variants=int8,int9"], "int9"),
    ],
)
@pytest.mark.parametrize("command", ["run", "compare"])
def test_a_value_that_cannot_be_set_is_the_users_mistake_and_named(command, options, message, tmp_path, capsys):
    path = written(tmp_path / "kws.yaml", "kws")

    assert main([command, str(path), *options]) == 2
    said = capsys.readouterr()
    assert message in said.err
    assert "starting the servers" not in said.err
