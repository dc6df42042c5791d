"""Fetch the file that carries the registry's alias today, so that variants can be compared with it."""

from __future__ import annotations

from litegate.inspection.tflite import describe_unopened
from litegate.records import Artifact, ChampionFile, ChampionRequest
from litegate.tracking import aliases, runs
from litegate.tracking.proof import proved_content
from litegate.variants import CHAMPION
from litegate.work.step_work import Work

__all__ = ["run"]


def run(request: ChampionRequest, work: Work) -> ChampionFile:
    """Download the version behind the alias; where nothing was promoted yet there is none.

    Raises:
        StoreError: MLflow does not hold the bytes that the version's own digest names.
    """
    client = runs.connect()
    version = aliases.version_behind(client, request.registry, request.alias)
    if version is None:
        work.say("champion: no version of %s is %s yet", request.registry, request.alias)
        return ChampionFile(version=None, artifact=None)
    content = proved_content(client, request.registry, version, work.folder)
    file = work.keep_bytes(content, f"{CHAMPION}.tflite")
    artifact = Artifact(variant=CHAMPION, file=file, signatures=describe_unopened(content))
    work.say("champion: %s version %s, sha256 %s", request.registry, version, file.digest[:12])
    return ChampionFile(version=version, artifact=artifact)
