"""Source models that are missing, damaged, hostile, or more than LiteRT can do."""

from __future__ import annotations

import json
import pickle
import shutil
import stat
import tarfile
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from tests.catalogue.row import Make, Place, Row


def _named(path: Path) -> dict[str, Any]:
    return {"model": {"name": "test", "uri": str(path)}}


def sound(name: str) -> Make:
    return lambda place: _named(place.models / name)


def hostile(name: str) -> Make:
    return lambda place: _named(place.hostile / name)


def file(name: str, content: bytes | Callable[[Place], bytes]) -> Make:
    def make(place: Place) -> Mapping[str, Any]:
        path = place.folder / name
        path.write_bytes(content if isinstance(content, bytes) else content(place))
        return _named(path)

    return make


def damaged(change: Callable[[Path], object], source: str = "keras3_saved_model") -> Make:
    """A SavedModel with something done to its folder."""

    def make(place: Place) -> Mapping[str, Any]:
        copy = place.folder / "saved"
        shutil.copytree(place.models / source, copy)
        change(copy)
        return _named(copy)

    return make


def members(change: Callable[[dict[str, bytes]], object], links: tuple[str, ...] = ()) -> Make:
    """A `.keras` archive with something done to its members."""

    def make(place: Place) -> Mapping[str, Any]:
        with zipfile.ZipFile(place.hostile / "plain.keras") as archive:
            found = {name: archive.read(name) for name in archive.namelist()}
        change(found)
        path = place.folder / "changed.keras"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, data in found.items():
                info = zipfile.ZipInfo(name)
                info.compress_type = zipfile.ZIP_DEFLATED
                if name in links:
                    info.external_attr = (stat.S_IFLNK | 0o777) << 16
                archive.writestr(info, data)
        return _named(path)

    return make


def config(change: Callable[[dict[str, Any]], object]) -> Make:
    """A `.keras` archive with another layer than it was saved with."""

    def edit(found: dict[str, bytes]) -> None:
        architecture = json.loads(found["config.json"])
        change(architecture["config"]["layers"][1])
        found["config.json"] = json.dumps(architecture).encode()

    return members(edit)


def _tar(place: Place) -> bytes:
    path = place.folder / "made.tar"
    with tarfile.open(path, "w") as archive:
        archive.add(place.models / "keras3_saved_model", "model")
    return path.read_bytes()


def _zip(place: Place) -> bytes:
    return Path(
        shutil.make_archive(str(place.folder / "made"), "zip", place.models / "keras3_saved_model")
    ).read_bytes()


def _cut(path: Path, share: float = 0.5) -> None:
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])


def _flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0x10
    path.write_bytes(data)


def _many(folder: Path) -> None:
    (folder / "assets").mkdir(exist_ok=True)
    for number in range(2001):
        (folder / "assets" / str(number)).touch()


DATA = "variables/variables.data-00000-of-00001"
NO_REACH = "no operator that reaches beyond the model, got"


def _row(name: str, wrong: str, stage: str, says: str, make: Make, **more: Any) -> Row:
    return Row(f"model-{name}", wrong, stage, says, make, **more)


MISSING = (
    _row(
        "nothing",
        "Nothing at the address",
        "resolve",
        "model.uri: expected an existing file, folder or S3 object, got nothing at",
        sound("nothing"),
    ),
    _row(
        "empty-folder",
        "An empty folder",
        "resolve",
        "got nothing at",
        lambda p: (p.folder / "x").mkdir() or _named(p.folder / "x"),
    ),
    _row(
        "empty-file", "An empty file", "resolve", "a .keras or a .h5 file, got an empty file", file("model.keras", b"")
    ),
    _row("text", "Text in a file called .h5", "resolve", "got a file of b'hell'", file("model.h5", b"hello")),
    _row(
        "pickle",
        "A pickle",
        "resolve",
        "got a pickle, which is never loaded",
        file("model.pkl", pickle.dumps({"a": 1})),
    ),
    _row("tar", "A SavedModel in a tar", "resolve", "got a tar archive: unpack it", file("model.tar", _tar)),
    _row(
        "zip", "A SavedModel in a zip", "resolve", "got one packed in a zip archive: unpack it", file("model.zip", _zip)
    ),
    _row(
        "npz",
        "Arrays in place of a model",
        "resolve",
        "a whole Keras file with its architecture, got",
        sound("test.npz"),
    ),
    _row(
        "tflite",
        "A model that is converted already",
        "resolve",
        "got a .tflite file, which is converted already",
        file("m.tflite", b"\x1c\0\0\0TFL3" + bytes(64)),
    ),
    _row(
        "folder",
        "A folder without a model",
        "resolve",
        "got 2 files without saved_model.pb",
        damaged(lambda f: [p.unlink() for p in f.iterdir() if p.is_file()]),
    ),
    _row("many", "More files than a model has", "resolve", "at most 2,000 files, got", damaged(_many)),
    _row(
        "large",
        "A model larger than allowed",
        "resolve",
        "at most 1,000 bytes (LITEGATE_MAX_MODEL_BYTES), got",
        sound("keras3.keras"),
        environment={"LITEGATE_MAX_MODEL_BYTES": "1000"},
    ),
)
DAMAGED = (
    _row(
        "pb-cut",
        "saved_model.pb is cut off",
        "resolve",
        "a SavedModel with a whole saved_model.pb, got a damaged one",
        damaged(lambda f: _cut(f / "saved_model.pb")),
    ),
    _row(
        "pb-empty",
        "saved_model.pb is empty",
        "resolve",
        "got a damaged one (no graph in it)",
        damaged(lambda f: _cut(f / "saved_model.pb", 0)),
    ),
    _row(
        "pb-noise",
        "saved_model.pb is noise",
        "resolve",
        "got a damaged one",
        damaged(lambda f: (f / "saved_model.pb").write_bytes(bytes(range(255, 0, -1)) * 20)),
    ),
    _row(
        "no-variables",
        "A SavedModel without its variables",
        "convert",
        "a model that LiteRT's converter accepts, got",
        damaged(lambda f: shutil.rmtree(f / "variables")),
    ),
    _row(
        "variables-cut",
        "The variables are cut off",
        "convert",
        "a model that LiteRT's converter accepts, got",
        damaged(lambda f: _cut(f / DATA)),
    ),
    _row(
        "variables-bit",
        "One bit of the variables is wrong",
        "convert",
        "a model that LiteRT's converter accepts, got DataLossError",
        damaged(lambda f: _flip(f / DATA)),
    ),
    _row(
        "keras-cut",
        "A .keras file is cut off",
        "resolve",
        "a whole Keras file with its architecture, got an unreadable one (BadZipFile",
        file("m.keras", lambda p: (p.models / "keras3.keras").read_bytes()[:5000]),
    ),
    _row(
        "h5-cut",
        "A .h5 file is cut off",
        "resolve",
        "a whole Keras file with its architecture, got an unreadable one (OSError",
        file("m.h5", lambda p: (p.models / "keras2.h5").read_bytes()[:9000]),
    ),
    _row(
        "no-config",
        "A .keras file without its architecture",
        "resolve",
        "There is no item named 'config.json'",
        members(lambda m: m.pop("config.json")),
    ),
    _row(
        "no-weights",
        "A .keras file without its weights",
        "resolve",
        "There is no item named 'model.weights.h5'",
        members(lambda m: m.pop("model.weights.h5")),
    ),
    _row(
        "bad-json",
        "An architecture that is no JSON",
        "resolve",
        "a whole Keras file with its architecture, got an unreadable one (JSONDecodeError",
        members(lambda m: m.update({"config.json": b"{"})),
    ),
    _row(
        "only-weights",
        "Weights without a model",
        "resolve",
        "it may hold weights alone: save the whole model",
        hostile("only.weights.h5"),
    ),
    _row(
        "unknown-argument",
        "An architecture of a newer Keras",
        "convert",
        "a model that Keras 3 or Keras 2 can load, got keras: TypeError",
        config(lambda layer: layer["config"].update(new=1)),
    ),
    _row(
        "nan",
        "NaN among the weights",
        "parity",
        "finite outputs of the source model, got NaN or infinity",
        sound("nan_weights.keras"),
    ),
)
HOSTILE = (
    _row(
        "writes",
        "A SavedModel that writes a file",
        "resolve",
        f"{NO_REACH} WriteFile, which writes files, node",
        hostile("writes"),
    ),
    _row(
        "reads",
        "A SavedModel that reads a file",
        "resolve",
        f"{NO_REACH} ReadFile, which reads files, node",
        hostile("reads"),
    ),
    _row(
        "prints",
        "A SavedModel that prints into a file",
        "resolve",
        f"{NO_REACH} PrintV2, which writes files",
        hostile("prints"),
    ),
    _row(
        "python",
        "A SavedModel that calls Python",
        "resolve",
        f"{NO_REACH} EagerPyFunc, which runs Python",
        hostile("calls_python"),
    ),
    _row(
        "initializer",
        "An initializer that writes a file as the model is loaded",
        "resolve",
        f"{NO_REACH} WriteFile...of the function",
        hostile("initializer"),
    ),
    _row("main-op", "The same in a SavedModel of TensorFlow 1", "resolve", f"{NO_REACH} WriteFile", hostile("main_op")),
    _row(
        "saver",
        "A checkpoint writer that runs as the model is loaded",
        "resolve",
        "checkpoints to be written by the saver alone, got SaveV2",
        hostile("saver_as_main_op"),
    ),
    _row(
        "table",
        "A lookup table from a text file",
        "resolve",
        f"{NO_REACH} InitializeTableFromTextFileV2, which reads files",
        hostile("text_table"),
    ),
    _row(
        "lambda",
        "A Lambda layer in a .keras file",
        "resolve",
        "no code in the model file, got the Lambda layer 'lambda",
        sound("lambda.keras"),
    ),
    _row(
        "lambda-h5",
        "A Lambda layer in a .h5 file",
        "resolve",
        "no code in the model file, got the Lambda layer 'mine'",
        hostile("lambda.h5"),
    ),
    _row(
        "module",
        "A layer from a module of the author's choice",
        "resolve",
        "the custom class 'os.system'",
        config(lambda layer: layer.update(module="os", class_name="system")),
    ),
    _row(
        "other-file",
        "A layer that loads another SavedModel",
        "resolve",
        "a model in one file, got the TFSMLayer 'dense",
        config(lambda layer: layer.update(class_name="TFSMLayer")),
    ),
    _row(
        "custom",
        "A custom layer in a .keras file",
        "resolve",
        "or an exported SavedModel, got the custom class 'Custom'",
        hostile("custom.keras"),
    ),
    _row(
        "custom-h5",
        "A custom layer in a .h5 file",
        "convert",
        "a model that Keras 3 or Keras 2 can load, got...Custom2",
        hostile("custom.h5"),
    ),
    _row(
        "units",
        "A layer of two thousand million units",
        "resolve",
        "at most as many units as the file has weights (15), got units 2,000,000,000 of the Dense layer",
        config(lambda layer: layer["config"].update(units=2_000_000_000)),
    ),
    _row(
        "member-up",
        "An archive member that leads out of it",
        "resolve",
        "members inside the archive, got the name '../evil'",
        members(lambda m: m.update({"../evil": b"x"})),
    ),
    _row(
        "member-absolute",
        "An archive member with an absolute name",
        "resolve",
        "members inside the archive, got the name '/tmp/evil'",
        members(lambda m: m.update({"/tmp/evil": b"x"})),
    ),
    _row(
        "member-link",
        "A link in an archive",
        "resolve",
        "regular files in the archive, got the link 'assets/link'",
        members(lambda m: m.update({"assets/link": b"/etc/passwd"}), ("assets/link",)),
    ),
    _row(
        "bomb",
        "An archive that unpacks to a thousand times its size",
        "resolve",
        "a compression of at most 200 times, got 'assets/zeros'",
        members(lambda m: m.update({"assets/zeros": bytes(1 << 25)})),
    ),
    _row(
        "h5-link",
        "A link to another file in a .h5 file",
        "resolve",
        "no links to other files, got /model_weights/elsewhere -> /etc/passwd",
        hostile("external_link.h5"),
    ),
    _row(
        "h5-external",
        "Weights whose values lie in another file",
        "resolve",
        "no links to other files, got /model_weights/raw",
        hostile("external_values.h5"),
    ),
    _row(
        "h5-declared",
        "Weights that are declared and not there",
        "resolve",
        "arrays with the bytes that they declare...got 40,000,000,000 bytes declared",
        hostile("declared.h5"),
    ),
)
TOO_MUCH = (
    _row(
        "strings",
        "A model of strings",
        "convert",
        "a model that LiteRT's converter accepts, got ConverterError",
        hostile("strings"),
    ),
    _row(
        "doubles",
        "A model in float64",
        "convert",
        "a model that LiteRT's converter accepts, got ConverterError",
        hostile("doubles"),
    ),
    _row(
        "recurrent",
        "A SavedModel with a Keras 3 GRU for any batch",
        "convert",
        "recurrent layers with a fixed batch, or a .keras file",
        sound("free_recurrent"),
    ),
    _row(
        "untracked",
        "A SavedModel without the values of its variables",
        "convert",
        "READ_VARIABLE of variables that nothing initializes in the float32 file",
        sound("untracked"),
    ),
    _row(
        "loop",
        "A loop in a variant that must be calibrated",
        "quantize",
        "the calibrator of TensorFlow cannot run this model, because of WHILE",
        lambda place: _named(place.models / "any_length.keras") | _data(place, "steps.npz"),
        ending="unsupported",
        variant="int8",
    ),
    _row(
        "sine-16",
        "An operator that the 16x8 quantizer does not know",
        "quantize",
        "not yet supported for op: 'SIN'",
        sound("sine.keras"),
        ending="unsupported",
        variant="int16x8",
    ),
    _row(
        "sine-8",
        "An operator that stays float in an integer-only file",
        "inspect",
        "the converter gave no int8: operators that compute in float: SIN",
        sound("sine.keras"),
        ending="wrong_scheme",
        variant="int8",
    ),
    _row(
        "signatures",
        "Several signatures, and none is chosen",
        "parity",
        "evaluation.signature: expected one of decode, encode, got None",
        lambda place: _named(place.models / "two_signatures") | _data(place, "signatures.npz"),
    ),
)


def _data(place: Place, name: str) -> dict[str, Any]:
    section = {"uri": str(place.models / name), "format": "npz"}
    return {"calibration": section | {"samples": 100}, "evaluation": section}


MODELS = (*MISSING, *DAMAGED, *HOSTILE, *TOO_MUCH)
