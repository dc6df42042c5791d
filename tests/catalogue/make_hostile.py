"""Writes models that must not be loaded, or cannot be used; run by the Python that has TensorFlow."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import h5py
import tf_keras

import keras  # isort: skip
import tensorflow as tf  # isort: skip

X = [tf.TensorSpec((None, 4), tf.float32, name="x")]


def saved(
    folder: Path, name: str, function: object, spec: list[tf.TensorSpec] = X, module: tf.Module | None = None
) -> None:
    """A SavedModel with one function as its signature."""
    module = module or tf.Module()
    module.serve = tf.function(function, input_signature=spec)
    tf.saved_model.save(module, str(folder / name), {"serving_default": module.serve})


def hostile(folder: Path, mark: str) -> None:
    """What would write to, or read, the path `mark`, or worse."""

    def writes(x: tf.Tensor) -> dict[str, tf.Tensor]:
        with tf.control_dependencies([tf.io.write_file(mark, "written")]):
            return {"y": tf.identity(x)}

    def reads(x: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"y": x + tf.strings.to_number(tf.io.read_file(mark))}

    def prints(x: tf.Tensor) -> dict[str, tf.Tensor]:
        tf.print("written", output_stream=f"file://{mark}")
        return {"y": x * 2}

    def calls_python(x: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"y": tf.py_function(lambda value: value, [x], tf.float32)}

    for function in (writes, reads, prints, calls_python):
        saved(folder, function.__name__, function)
    module = tf.Module()
    module.resource = Resource(mark)
    saved(folder, "initializer", lambda x: {"y": x * 2}, module=module)
    vocabulary = folder / "vocabulary.txt"
    vocabulary.write_text("a 0\nb 1\n")
    tables = tf.lookup.TextFileInitializer(str(vocabulary), tf.string, 0, tf.int64, 1, delimiter=" ")
    module = tf.Module()
    module.table = tf.lookup.StaticHashTable(tables, -1)
    saved(folder, "text_table", lambda x: {"y": x + tf.cast(module.table.size(), tf.float32)}, module=module)
    for name, operator in (("main_op", "write"), ("saver_as_main_op", "save")):
        old_style(folder / name, mark, operator)


class Resource(tf.saved_model.experimental.TrackableResource):
    """Its initializer runs when the model is loaded."""

    def __init__(self, mark: str) -> None:
        super().__init__()
        self.mark = mark
        with tf.init_scope():
            _ = self.resource_handle

    def _create_resource(self) -> tf.Tensor:
        return tf.raw_ops.VarHandleOp(dtype=tf.float32, shape=[])

    def _initialize(self) -> None:
        tf.io.write_file(self.mark, "written")


def old_style(folder: Path, mark: str, operator: str) -> None:
    """A SavedModel of TensorFlow 1, whose main operator runs as it is loaded."""
    v1 = tf.compat.v1
    with v1.Graph().as_default(), v1.Session() as session:
        x = v1.placeholder(tf.float32, (None, 4), name="x")
        y = tf.multiply(x, 2.0, name="y")
        if operator == "write":
            main = tf.io.write_file(mark, "written")
        else:
            main = tf.raw_ops.SaveV2(prefix=mark, tensor_names=["w"], shape_and_slices=[""], tensors=[tf.ones(2)])
        builder = v1.saved_model.Builder(str(folder))
        signature = v1.saved_model.predict_signature_def({"x": x}, {"y": y})
        builder.add_meta_graph_and_variables(session, ["serve"], {"serving_default": signature}, main_op=main)
        builder.save()


class PruneLowMagnitude(tf_keras.layers.Wrapper):
    def call(self, x: tf.Tensor) -> tf.Tensor:
        return self.layer(x)


class Counter(tf.Module):
    def __init__(self) -> None:
        self.count = tf.Variable(tf.zeros(4))


class Unsigned(tf.Module):
    """With one function alone, that would become the signature."""

    @tf.function(input_signature=X)
    def serve(self, x: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"y": x * 2}

    @tf.function(input_signature=X)
    def other(self, x: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"y": x * 3}


def not_judged(folder: Path) -> None:
    """Models that convert, or would, and whose answer does not follow from the input alone, or that say no input."""

    def noisy(x: tf.Tensor) -> dict[str, tf.Tensor]:
        with tf.name_scope("noise"):
            return {"y": x + tf.random.normal(tf.shape(x), seed=7)}

    def counts(x: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"y": x + counter.count.assign_add(tf.ones(4))}

    counter = Counter()
    saved(folder, "random", noisy)
    saved(folder, "state", counts, module=counter)
    tf.saved_model.save(Unsigned(), str(folder / "unsigned"))
    wrapped = PruneLowMagnitude(tf_keras.layers.Dense(3), name="mine")
    tf_keras.Sequential([tf_keras.Input((4,)), wrapped]).save(folder / "pruned.h5")


class Custom(keras.layers.Layer):
    def call(self, x: tf.Tensor) -> tf.Tensor:
        return x * 2


class Custom2(tf_keras.layers.Layer):
    def call(self, x: tf.Tensor) -> tf.Tensor:
        return x * 2


def inverse(x: tf.Tensor) -> dict[str, tf.Tensor]:
    with tf.name_scope("model/head"):
        return {"y": tf.linalg.inv(x)}


def not_convertible(folder: Path) -> None:
    """Sound models that LiteRT has no operators for."""
    saved(folder, "strings", lambda x: {"y": tf.strings.length(x)}, [tf.TensorSpec((None,), tf.string, name="x")])
    doubles = [tf.TensorSpec((None, 4), tf.float64, name="x")]
    saved(folder, "doubles", lambda x: {"y": tf.linalg.matmul(x, tf.ones((4, 4), tf.float64))}, doubles)
    saved(folder, "half", lambda x: {"y": tf.cast(x, tf.float16) @ tf.ones((4, 3), tf.float16)})
    saved(folder, "flex", inverse, [tf.TensorSpec((None, 4, 4), tf.float32, name="x")])
    keras.Sequential([keras.Input((4,)), Custom(name="mine")]).save(folder / "custom.keras")
    tf_keras.Sequential([tf_keras.Input((4,)), Custom2(name="mine")]).save(folder / "custom.h5")
    plain = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)])
    plain.save_weights(folder / "only.weights.h5")
    plain.save(folder / "plain.keras")
    plain.save(folder / "plain.h5")
    tf_keras.Sequential([tf_keras.Input((4,)), tf_keras.layers.Lambda(lambda x: x * 2, name="mine")]).save(
        folder / "lambda.h5"
    )


def hdf5(folder: Path) -> None:
    """Weights that lie elsewhere, or nowhere."""
    for name in ("external_link", "external_values", "declared"):
        shutil.copyfile(folder / "plain.h5", folder / f"{name}.h5")
    with h5py.File(folder / "external_link.h5", "r+") as file:
        file["model_weights/elsewhere"] = h5py.ExternalLink("/etc/passwd", "/")
    with h5py.File(folder / "external_values.h5", "r+") as file:
        file.create_dataset("model_weights/raw", (4,), "f4", external=[("/etc/passwd", 0, 16)])
    with h5py.File(folder / "declared.h5", "r+") as file:
        file.create_dataset("model_weights/huge", (100_000, 100_000), "f4", chunks=(100, 100))


def main(folder: Path, mark: str) -> None:
    hostile(folder, mark)
    not_convertible(folder)
    not_judged(folder)
    hdf5(folder)
    for path in Path(mark).parent.glob(f"{Path(mark).name}*"):  # TensorFlow runs initializers as it saves
        path.unlink()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
