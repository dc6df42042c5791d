"""Step `resolve`: pin every input of the spec, so that all that follows is keyed by digests."""

from __future__ import annotations

import shutil
from pathlib import Path

from litegate.datasets.snapshots import snapshot_code, snapshot_data, snapshot_metric, snapshot_training
from litegate.engines.recipe_files import read_recipe
from litegate.errors import ModelError, SpecError
from litegate.inspection.given_file import check_tflite_file
from litegate.records import Announcement, FileRef, ModelRef, Resolved, ResolveRequest
from litegate.records.fields import file_name_problem
from litegate.source.bounds import check_bounds
from litegate.source.check import check_model
from litegate.source.kinds import KINDS, MODEL_FILES, Format, file_format, model_digest
from litegate.spec import GivenFile, Spec
from litegate.storage.manifests import Entry
from litegate.storage.versions import SAVED_MODEL
from litegate.variants import LITERT_QUANTIZER, TF_CONVERTER
from litegate.work.step_work import Work

__all__ = ["run"]


def run(request: ResolveRequest, work: Work) -> Resolved:
    """Pin the model by its bytes, the datasets by their manifests, and the user's code by its source.

    Raises:
        DataError: there is nothing at a URI, or it cannot be read.
        ModelError: what is there is not a model, or not one that was announced.
        SpecError: `preprocess` or the metric cannot be found, or the metric does not fit the spec's gate.
    """
    spec = request.spec
    metric, metric_code = snapshot_metric(spec, request.folder)
    model = _model(spec.model.uri, work)
    work.say("resolve: model %s is a %s, digest %s", model.uri, model.format, model.digest)
    _check_engines(spec, model)
    _check_trained(spec, model)
    evaluation = snapshot_data(spec.evaluation, "evaluation.uri", work)
    tuned = spec.fine_tune
    _check_announced(request.announced, model)
    return Resolved(
        spec=spec,
        model=model,
        calibration=snapshot_data(spec.calibration, "calibration.uri", work, besides=spec.evaluation),
        evaluation=evaluation,
        metric=metric,
        metric_code=metric_code,
        decoder=snapshot_code(spec.evaluation.decoder, request.folder, "evaluation.decoder"),
        preprocess=snapshot_code(spec.preprocess, request.folder, "preprocess"),
        fine_tune_code=snapshot_code(tuned.entry_point, request.folder, "fine_tune.entry_point") if tuned else None,
        training=snapshot_training(tuned.data, evaluation, work) if tuned else None,
        candidates={each.name: _given(each, work) for each in spec.candidates},
        evidence=_evidence(spec, work),
        recorded=_recorded(spec, model, work),
        trigger=request.announced[0] if request.announced else None,
        overrides=request.overrides,
        remeasure=request.remeasure,
    )


def _model(uri: str, work: Work) -> ModelRef:
    found = work.model_files(uri, "model.uri")
    where = f"model.uri {found.uri}"
    check_bounds(len(found.entries), sum(entry.size for entry in found.entries), where)
    form, names = _names(found.entries, where, work)
    root = work.folder / "model"
    for entry, name in zip(found.entries, names, strict=True):
        _copy(entry, root, name, where, work)
    check_model(root, form, found.uri)
    if form == "tflite":
        check_tflite_file(root / MODEL_FILES[form], where)
    files = tuple(work.keep(root / name, name) for name in names)
    return ModelRef(uri=found.uri, format=form, digest=model_digest(form, files), files=files)


def _check_engines(spec: Spec, model: ModelRef) -> None:
    """TensorFlow's converter begins with a model of TensorFlow's."""
    needs_more = [name for name in spec.quantized_variants if spec.engine_of(name) == TF_CONVERTER]
    if model.format == "tflite" and needs_more:
        expected = f"{LITERT_QUANTIZER} for a model that is a .tflite file"
        raise SpecError("engine", expected, f"{TF_CONVERTER}, for {', '.join(needs_more)}")


def _check_trained(spec: Spec, model: ModelRef) -> None:
    """Only a Keras file has layers to put fake quantization between."""
    if spec.fine_tune is not None and model.format not in ("keras", "h5"):
        found = {"saved_model": "a SavedModel", "tflite": "a .tflite file"}[model.format]
        raise SpecError("fine_tune", "null for a model that is no .keras or .h5 file, which has no layers left", found)


def _given(given: GivenFile, work: Work) -> FileRef:
    """A finished file or a recipe, as it is."""
    where = f"candidates.{given.name}"
    if given.recipe is not None:
        path = _single_file(given.recipe, where, f"{given.name}.json", work)
        read_recipe(path.read_bytes(), f"{where} {given.recipe}")
        return work.keep(path, path.name)
    path = _single_file(given.location, where, f"{given.name}.tflite", work)
    form = file_format(path, f"{where} {given.uri}")
    if form != "tflite":
        raise ModelError(f"{where} {given.uri}", "a finished .tflite file", f"a .{form} file, by its first bytes")
    check_tflite_file(path, f"{where} {given.uri}")
    return work.keep(path, path.name)


def _evidence(spec: Spec, work: Work) -> dict[str, FileRef]:
    """What the spec's device has given so far, by the file that it ran; that nothing is there is no error."""
    device, where = spec.evaluation.device, "evaluation.device.evidence"
    if device is None:
        return {}
    entries = work.list_entries(device.everything, where, needed=False)
    by_file = {digest: entry for entry in entries if (digest := device.digest_in(entry.name)) is not None}
    work.say("resolve: %d files were run by the device %s", len(by_file), device.name)
    found = {}
    for digest, entry in by_file.items():
        check_bounds(1, entry.size, f"{where} {entry.uri}")
        _copy(entry, work.folder / "evidence", entry.name, where, work)
        found[digest] = work.keep(work.folder / "evidence" / entry.name, f"{digest}-{device.name}.npz")
    return found


def _recorded(spec: Spec, model: ModelRef, work: Work) -> FileRef | None:
    uri, where = spec.model.recorded_outputs, "model.recorded_outputs"
    if uri is None:
        return None
    if model.format != "tflite":
        raise SpecError(where, "none for a model that can be run itself", uri)
    path = _single_file(uri, where, "recorded.npz", work)
    return work.keep(path, path.name)


def _single_file(uri: str, where: str, name: str, work: Work) -> Path:
    """A copy of the only file at an address."""
    found = work.model_files(uri, where)
    if len(found.entries) != 1:
        raise ModelError(f"{where} {uri}", "one file", f"{len(found.entries)} files")
    (entry,) = found.entries
    check_bounds(1, entry.size, f"{where} {uri}")
    _copy(entry, work.folder / "given", name, where, work)
    return work.folder / "given" / name


def _check_announced(announced: tuple[Announcement, ...], model: ModelRef) -> None:
    """The model is one that an asset event has named, the one that began the run or a later one.

    An event that names none lets what is there be taken.
    """
    if not announced or any(event.digest in (None, model.digest) for event in announced):
        return
    first, later = announced[0], len(announced) - 1
    or_later = f", or one of the {later} announced since" if later else ""
    expected = f"the model that {first.source} announced at {first.timestamp}, of digest {first.digest}{or_later}"
    raise ModelError(f"model.uri {model.uri}", expected, f"one of digest {model.digest}, which nobody has announced")


def _names(entries: tuple[Entry, ...], where: str, work: Work) -> tuple[Format, list[str]]:
    """What kind of model it is, and what its files are called from now on."""
    names = [entry.name for entry in entries]
    if SAVED_MODEL in names:
        return "saved_model", names
    if len(entries) == 1:
        form = file_format(work.fetch(entries[0], "model.uri"), where)
        return form, [MODEL_FILES[form]]
    raise ModelError(where, KINDS, f"{len(names)} files without {SAVED_MODEL}")


def _copy(entry: Entry, root: Path, name: str, where: str, work: Work) -> None:
    path, problem = root / name, file_name_problem(name)
    if problem is not None:
        raise ModelError(where, f"names of files, each {problem}", f"{name!r:.200}")
    path.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(work.fetch(entry, where), path)
