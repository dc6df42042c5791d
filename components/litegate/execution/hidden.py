"""What no confined step may read, whoever names it: secrets of the installation and of the user, the work of others."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from litegate.errors import BadInput
from litegate.execution.sandbox.places import hidden_by
from litegate.settings import SIGNING_KEY, Settings, default_home
from litegate.storage.opening import local_path

__all__ = ["hidden_paths", "not_hidden", "shown_paths"]

_OF_USER = (
    *(".aws", ".azure", ".boto", ".config", ".databrickscfg", ".docker", ".git-credentials", ".gnupg", ".huggingface"),
    *(".kube", ".my.cnf", ".netrc", ".pgpass", ".pypirc", ".ssh", ".vault-token"),
    *(".cache/huggingface/token", ".cache/huggingface/stored_tokens"),
)
_OF_SYSTEM = (
    *("/etc/gshadow", "/etc/shadow", "/etc/ssh", "/etc/ssl/private", "/etc/sudoers", "/etc/sudoers.d"),
    *("/run/secrets", "/var/run/secrets"),
)
_VARIABLES = ("AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE", "GOOGLE_APPLICATION_CREDENTIALS", "AIRFLOW_HOME")


def hidden_paths(settings: Settings) -> tuple[str, ...]:
    """Files and folders that exist for no confined step."""
    return tuple(map(str, _hidden(settings)))


def shown_paths() -> tuple[str, ...]:
    """Folders that may be named although they often lie in hidden ones: DAG files, specs, and the code beside them."""
    dags = os.environ.get("AIRFLOW__CORE__DAGS_FOLDER") or Path(os.environ.get("AIRFLOW_HOME", ""), "dags").absolute()
    specs = os.environ.get("LITEGATE_SPEC_FOLDERS", "").split(os.pathsep)
    return (str(dags), str(default_home() / "specs"), *filter(None, specs))


def not_hidden(paths: Iterable[str], hidden: tuple[str, ...], shown: tuple[str, ...]) -> Iterator[str]:
    """The same paths.

    Raises:
        BadInput: one of them is hidden: the step would only say that it does not exist.
    """
    real_hidden, real_shown = [[os.path.realpath(path) for path in each] for each in (hidden, shown)]
    for path in paths:
        covering = hidden_by(os.path.realpath(path), real_hidden, real_shown)
        if covering is not None:
            raise BadInput(path, "a place that steps may read", f"one in {covering}, which is hidden from all of them")
        yield path


def _hidden(settings: Settings) -> Iterator[Path | str]:
    yield from (default_home(), settings.cache, settings.scratch)
    if local_path(settings.workspace) is not None:
        yield settings.workspace
    yield from (Path.home() / name for name in _OF_USER)
    yield from _OF_SYSTEM
    yield from (os.environ[name] for name in _VARIABLES if os.environ.get(name))
    key = os.environ.get(SIGNING_KEY, "")
    if key and not key.lstrip().startswith("-----"):  # else it is the key itself
        yield key
