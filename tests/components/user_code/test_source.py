"""The digest of the user's code: it changes with all that a result may depend on."""

from __future__ import annotations

from pathlib import Path

import pytest

from litegate.errors import SpecError
from litegate.user_code.source import source_digest


def digest(folder: Path, reference: str = "vision:scale") -> str:
    return source_digest(reference, str(folder))


@pytest.mark.parametrize("changed", ["vision.py", "helper.py", "deeper/__init__.py", "deeper/still.py"])
def test_the_digest_follows_everything_that_is_imported_from_the_folder(tmp_path: Path, changed: str) -> None:
    (tmp_path / "deeper").mkdir()
    (tmp_path / "vision.py").write_text("import numpy\nfrom helper import scale\n")
    (tmp_path / "helper.py").write_text("import deeper.still\ndef scale(features, label): return features, label\n")
    (tmp_path / "deeper" / "__init__.py").write_text("")
    (tmp_path / "deeper" / "still.py").write_text("")
    (tmp_path / "unrelated.py").write_text("")
    before = digest(tmp_path)
    (tmp_path / "unrelated.py").write_text("x = 1\n")
    assert digest(tmp_path) == before
    with (tmp_path / changed).open("a") as file:
        file.write("y = 2\n")
    assert digest(tmp_path) != before


def test_a_package_counts_as_a_whole(tmp_path: Path) -> None:
    (tmp_path / "package").mkdir()
    (tmp_path / "package" / "__init__.py").write_text("")
    (tmp_path / "package" / "vision.py").write_text("from . import other\n")
    (tmp_path / "package" / "other.py").write_text("")
    before = digest(tmp_path, "package.vision:scale")
    (tmp_path / "package" / "lazily_imported.py").write_text("")
    assert digest(tmp_path, "package.vision:scale") != before


def test_the_digest_does_not_depend_on_where_the_folder_is(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "vision.py").write_text("x = 1\n")
    assert digest(tmp_path / "a") == digest(tmp_path / "b")


def test_what_is_installed_has_the_same_digest_wherever_it_lies(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    digests = set()
    for name in ("one", "other/deeper"):
        package = tmp_path / name / "installed_vision"
        package.mkdir(parents=True)
        (package / "__init__.py").write_text("x = 1\n")
        with monkeypatch.context() as patch:
            patch.syspath_prepend(str(tmp_path / name))
            digests.add(source_digest("installed_vision:Metric", str(tmp_path / "specs")))
    assert len(digests) == 1


def test_messages_name_the_key_that_the_code_is_for(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match=r"evaluation\.metric: expected the module vision, beside"):
        source_digest("vision:Metric", str(tmp_path), "evaluation.metric")


def test_a_module_that_is_missing_or_no_python_is_bad_input(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="the module vision, beside the spec file"):
        digest(tmp_path)
    (tmp_path / "vision.py").write_text("def scale(:\n")
    with pytest.raises(SpecError, match=r"preprocess: expected valid Python in .* line 1"):
        digest(tmp_path)
