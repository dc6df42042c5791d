"""Which spec file the DAGs of a model are made from: one, and another takes its place only where it is told to."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from litegate.errors import SpecError
from litegate.spec import load_spec, spec_digest
from litegate.stack import Home

__all__ = ["check_owner", "offer_spec"]


def check_owner(home: Home, path: Path, model: str, dags_folder: Path | None = None) -> None:
    """Find out whether the name of a spec's model is free, or its own.

    Args:
        dags_folder: whose `model_specs` are looked at too, once the servers say where it is.

    Raises:
        SpecError: another spec file has the name; it is named, and what replaces it.
    """
    link = _link(home, model)
    if link.is_symlink() and link.readlink() == path.resolve():
        return
    for owner in (link, *_beside_dags(dags_folder)):
        if owner.resolve() != path.resolve() and _model_of(owner) == model:
            expected = f"a name that no other spec file has; `litegate run {path} --replace` gives it to this one"
            raise SpecError(f"{path}: model.name", expected, f"{model!r}, which is that of {owner.resolve()}")


def offer_spec(home: Home, path: Path, model: str, dags_folder: Path) -> str:
    """Put a link to the spec file where Airflow looks; specs beside the DAGs are found without one.

    Returns:
        The digest of what Airflow finds there.
    """
    link, real = _link(home, model), path.resolve()
    for other in home.specs.glob("*.yaml"):  # the file may have had another model name
        if other != link and other.is_symlink() and other.readlink() == real:
            other.unlink()
    if real.parent == (dags_folder / "model_specs").resolve():
        link.unlink(missing_ok=True)
        return spec_digest(real)
    if not link.is_symlink() or link.readlink() != real:
        temporary = home.specs / f".{model}.{secrets.token_hex(4)}"
        temporary.symlink_to(real)
        temporary.replace(link)
    return spec_digest(link)


def _link(home: Home, model: str) -> Path:
    return home.specs / f"{model}.yaml"


def _beside_dags(dags_folder: Path | None) -> Iterator[Path]:
    if dags_folder is not None:
        yield from sorted((dags_folder / "model_specs").glob("*.yaml"))


def _model_of(path: Path) -> str | None:
    """The name of a spec file's model; None where there is no file, or none that can be used."""
    with suppress(SpecError):
        return load_spec(path).model.name
    return None
