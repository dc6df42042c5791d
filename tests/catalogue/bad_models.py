"""Source models that are missing, damaged, hostile, or more than LiteRT can do."""

from __future__ import annotations

import pickle
import shutil

from tests.catalogue.hostile_models import HOSTILE
from tests.catalogue.model_makers import (
    config,
    cut,
    damaged,
    data_of,
    file,
    flip,
    hostile,
    many_files,
    members,
    model_row,
    named,
    packed_as_tar,
    packed_as_zip,
    sound,
)

SHARD = "variables/variables.data-00000-of-00001"


MISSING = (
    model_row(
        "nothing",
        "Nothing at the address",
        "resolve",
        "model.uri: expected an existing file, folder or S3 object, got nothing at",
        sound("nothing"),
    ),
    model_row(
        "empty-folder",
        "An empty folder",
        "resolve",
        "got nothing at",
        lambda p: (p.folder / "x").mkdir() or named(p.folder / "x"),
    ),
    model_row(
        "empty-file",
        "An empty file",
        "resolve",
        "a .h5 or a float32 .tflite file, got an empty file",
        file("model.keras", b""),
    ),
    model_row("text", "Text in a file called .h5", "resolve", "got a file of b'hell'", file("model.h5", b"hello")),
    model_row(
        "pickle",
        "A pickle",
        "resolve",
        "got a pickle, which is never loaded",
        file("model.pkl", pickle.dumps({"a": 1})),
    ),
    model_row(
        "tar", "A SavedModel in a tar", "resolve", "got a tar archive: unpack it", file("model.tar", packed_as_tar)
    ),
    model_row(
        "zip",
        "A SavedModel in a zip",
        "resolve",
        "got one packed in a zip archive: unpack it",
        file("model.zip", packed_as_zip),
    ),
    model_row(
        "npz",
        "Arrays in place of a model",
        "resolve",
        "a whole Keras file with its architecture, got",
        sound("test.npz"),
    ),
    model_row(
        "tflite",
        "A damaged .tflite file as the model",
        "resolve",
        "expected a whole .tflite file, got the model's signatures are damaged",
        file("m.tflite", b"\x1c\0\0\0TFL3" + bytes(64)),
    ),
    model_row(
        "folder",
        "A folder without a model",
        "resolve",
        "got 2 files without saved_model.pb",
        damaged(lambda f: [p.unlink() for p in f.iterdir() if p.is_file()]),
    ),
    model_row("many", "More files than a model has", "resolve", "at most 2,000 files, got", damaged(many_files)),
    model_row(
        "large",
        "A model larger than allowed",
        "resolve",
        "at most 1,000 bytes (LITEGATE_MAX_MODEL_BYTES), got",
        sound("keras3.keras"),
        environment={"LITEGATE_MAX_MODEL_BYTES": "1000"},
    ),
)


DAMAGED = (
    model_row(
        "pb-cut",
        "saved_model.pb is cut off",
        "resolve",
        "a SavedModel with a whole saved_model.pb, got a damaged one",
        damaged(lambda f: cut(f / "saved_model.pb")),
    ),
    model_row(
        "pb-empty",
        "saved_model.pb is empty",
        "resolve",
        "got a damaged one (no graph in it)",
        damaged(lambda f: cut(f / "saved_model.pb", 0)),
    ),
    model_row(
        "pb-noise",
        "saved_model.pb is noise",
        "resolve",
        "got a damaged one",
        damaged(lambda f: (f / "saved_model.pb").write_bytes(bytes(range(255, 0, -1)) * 20)),
    ),
    model_row(
        "no-variables",
        "A SavedModel without its variables",
        "convert",
        "a model that LiteRT's converter accepts, got",
        damaged(lambda f: shutil.rmtree(f / "variables")),
    ),
    model_row(
        "variables-cut",
        "The variables are cut off",
        "convert",
        "a model that LiteRT's converter accepts, got",
        damaged(lambda f: cut(f / SHARD)),
    ),
    model_row(
        "variables-bit",
        "One bit of the variables is wrong",
        "convert",
        "got a SavedModel whose variables are missing or damaged ... DataLossError",
        damaged(lambda f: flip(f / SHARD)),
    ),
    model_row(
        "keras-cut",
        "A .keras file is cut off",
        "resolve",
        "a whole Keras file with its architecture, got an unreadable one (BadZipFile",
        file("m.keras", lambda p: (p.models / "keras3.keras").read_bytes()[:5000]),
    ),
    model_row(
        "h5-cut",
        "A .h5 file is cut off",
        "resolve",
        "a whole Keras file with its architecture, got an unreadable one (OSError",
        file("m.h5", lambda p: (p.models / "keras2.h5").read_bytes()[:9000]),
    ),
    model_row(
        "no-config",
        "A .keras file without its architecture",
        "resolve",
        "There is no item named 'config.json'",
        members(lambda m: m.pop("config.json")),
    ),
    model_row(
        "no-weights",
        "A .keras file without its weights",
        "resolve",
        "There is no item named 'model.weights.h5'",
        members(lambda m: m.pop("model.weights.h5")),
    ),
    model_row(
        "bad-json",
        "An architecture that is no JSON",
        "resolve",
        "a whole Keras file with its architecture, got an unreadable one (JSONDecodeError",
        members(lambda m: m.update({"config.json": b"{"})),
    ),
    model_row(
        "only-weights",
        "Weights without a model",
        "resolve",
        "it may hold weights alone: save the whole model",
        hostile("only.weights.h5"),
    ),
    model_row(
        "unknown-argument",
        "An architecture of a newer Keras",
        "convert",
        "a model that Keras 3 or Keras 2 can load, got a layer of another version of Keras ... keras: TypeError",
        config(lambda layer: layer["config"].update(new=1)),
    ),
    model_row(
        "nan",
        "NaN among the weights",
        "conversion_check",
        "finite outputs of the source model, got NaN or infinity",
        sound("nan_weights.keras"),
    ),
)


TOO_MUCH = (
    model_row(
        "strings",
        "A model of strings",
        "convert",
        "got StringLength, which takes strings ... in `preprocess` ... The converter: ",
        hostile("strings"),
    ),
    model_row(
        "doubles",
        "A model in float64",
        "convert",
        "got MatMul in float64 ... in float32 ... The converter: ",
        hostile("doubles"),
    ),
    model_row(
        "half",
        "A SavedModel of a model with mixed precision",
        "convert",
        "got MatMul in float16 (mixed precision) ... Give litegate the .keras file ... The converter: ",
        hostile("half"),
    ),
    model_row(
        "flex",
        "An operator that LiteRT lacks",
        "convert",
        "got MatrixInverse (layer model/head), which LiteRT lacks ... (Flex) are no way out",
        hostile("flex"),
    ),
    model_row(
        "unsigned",
        "A SavedModel without a signature",
        "resolve",
        "got one without: it has the functions other, serve ... signatures={'serving_default': model.serve}",
        hostile("unsigned"),
    ),
    model_row(
        "random",
        "A random operator",
        "convert",
        "got one that draws random numbers: RandomStandardNormal, node 'noise/random_normal/RandomStandardNormal'",
        hostile("random"),
    ),
    model_row(
        "state",
        "A graph that counts its calls",
        "convert",
        "got one that keeps state from one sample to the next: AssignAddVariableOp, node 'AssignAddVariableOp'",
        hostile("state"),
    ),
    model_row(
        "pruned",
        "A layer in a wrapper for pruning",
        "resolve",
        "the custom class 'PruneLowMagnitude', layer 'mine' ... strip_pruning(model)",
        hostile("pruned.h5"),
    ),
    model_row(
        "recurrent",
        "A SavedModel with a Keras 3 GRU for any batch",
        "convert",
        "got a SavedModel with recurrent layers for a batch of any size ... Give litegate the .keras file",
        sound("free_recurrent"),
    ),
    model_row(
        "loop",
        "A loop in a variant that must be calibrated",
        "quantize",
        "the calibrator of TensorFlow cannot run this model, because of WHILE",
        lambda place: named(place.models / "any_length.keras") | data_of(place, "steps.npz"),
        ending="unsupported",
        variant="int8",
    ),
    model_row(
        "sine-16",
        "An operator that the 16x8 quantizer does not know",
        "quantize",
        "not yet supported for op: 'SIN'",
        sound("sine.keras"),
        ending="unsupported",
        variant="int16x8",
    ),
    model_row(
        "sine-8",
        "An operator that stays float in an integer-only file",
        "inspect",
        "the converter gave no int8: operators that compute in float: SIN",
        sound("sine.keras"),
        ending="wrong_scheme",
        variant="int8",
    ),
    model_row(
        "signatures",
        "Several signatures, and none is chosen",
        "conversion_check",
        "evaluation.signature: expected one of decode, encode, got None",
        lambda place: named(place.models / "two_signatures") | data_of(place, "signatures.npz"),
    ),
)


MODELS = (*MISSING, *DAMAGED, *HOSTILE, *TOO_MUCH)
