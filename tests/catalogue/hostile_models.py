"""Source models that would do harm if they were loaded."""

from __future__ import annotations

from tests.catalogue.model_makers import (
    config,
    hostile,
    members,
    model_row,
    sound,
)

NO_REACH = "no operator that reaches beyond the model, got"


HOSTILE = (
    model_row(
        "writes",
        "A SavedModel that writes a file",
        "resolve",
        f"{NO_REACH} WriteFile, which writes files, node",
        hostile("writes"),
    ),
    model_row(
        "reads",
        "A SavedModel that reads a file",
        "resolve",
        f"{NO_REACH} ReadFile, which reads files, node",
        hostile("reads"),
    ),
    model_row(
        "prints",
        "A SavedModel that prints into a file",
        "resolve",
        f"{NO_REACH} PrintV2, which writes files",
        hostile("prints"),
    ),
    model_row(
        "python",
        "A SavedModel that calls Python",
        "resolve",
        f"{NO_REACH} EagerPyFunc, which runs Python",
        hostile("calls_python"),
    ),
    model_row(
        "initializer",
        "An initializer that writes a file as the model is loaded",
        "resolve",
        f"{NO_REACH} WriteFile...of the function",
        hostile("initializer"),
    ),
    model_row(
        "main-op", "The same in a SavedModel of TensorFlow 1", "resolve", f"{NO_REACH} WriteFile", hostile("main_op")
    ),
    model_row(
        "saver",
        "A checkpoint writer that runs as the model is loaded",
        "resolve",
        "checkpoints to be written by the saver alone, got SaveV2",
        hostile("saver_as_main_op"),
    ),
    model_row(
        "table",
        "A lookup table from a text file",
        "resolve",
        f"{NO_REACH} InitializeTableFromTextFileV2, which reads files",
        hostile("text_table"),
    ),
    model_row(
        "lambda",
        "A Lambda layer in a .keras file",
        "resolve",
        "no code in the model file, got the Lambda layer 'lambda",
        sound("lambda.keras"),
    ),
    model_row(
        "lambda-h5",
        "A Lambda layer in a .h5 file",
        "resolve",
        "no code in the model file, got the Lambda layer 'mine'",
        hostile("lambda.h5"),
    ),
    model_row(
        "module",
        "A layer from a module of the author's choice",
        "resolve",
        "the custom class 'os.system'",
        config(lambda layer: layer.update(module="os", class_name="system")),
    ),
    model_row(
        "other-file",
        "A layer that loads another SavedModel",
        "resolve",
        "a model in one file, got the TFSMLayer 'dense",
        config(lambda layer: layer.update(class_name="TFSMLayer")),
    ),
    model_row(
        "custom",
        "A custom layer in a .keras file",
        "resolve",
        "or an exported SavedModel, got the custom class 'Custom'",
        hostile("custom.keras"),
    ),
    model_row(
        "custom-h5",
        "A custom layer in a .h5 file",
        "convert",
        "a model that Keras 3 or Keras 2 can load, got...Custom2",
        hostile("custom.h5"),
    ),
    model_row(
        "units",
        "A layer of two thousand million units",
        "resolve",
        "at most as many units as the file has weights (15), got units 2,000,000,000 of the Dense layer",
        config(lambda layer: layer["config"].update(units=2_000_000_000)),
    ),
    model_row(
        "member-up",
        "An archive member that leads out of it",
        "resolve",
        "members inside the archive, got the name '../evil'",
        members(lambda m: m.update({"../evil": b"x"})),
    ),
    model_row(
        "member-absolute",
        "An archive member with an absolute name",
        "resolve",
        "members inside the archive, got the name '/tmp/evil'",
        members(lambda m: m.update({"/tmp/evil": b"x"})),
    ),
    model_row(
        "member-link",
        "A link in an archive",
        "resolve",
        "regular files in the archive, got the link 'assets/link'",
        members(lambda m: m.update({"assets/link": b"/etc/passwd"}), ("assets/link",)),
    ),
    model_row(
        "bomb",
        "An archive that unpacks to a thousand times its size",
        "resolve",
        "a compression of at most 200 times, got 'assets/zeros'",
        members(lambda m: m.update({"assets/zeros": bytes(1 << 25)})),
    ),
    model_row(
        "h5-link",
        "A link to another file in a .h5 file",
        "resolve",
        "no links to other files, got /model_weights/elsewhere -> /etc/passwd",
        hostile("external_link.h5"),
    ),
    model_row(
        "h5-external",
        "Weights whose values lie in another file",
        "resolve",
        "no links to other files, got /model_weights/raw",
        hostile("external_values.h5"),
    ),
    model_row(
        "h5-declared",
        "Weights that are declared and not there",
        "resolve",
        "arrays with the bytes that they declare...got 40,000,000,000 bytes declared",
        hostile("declared.h5"),
    ),
)
