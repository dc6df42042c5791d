"""The architecture of a Keras file, as JSON: what it asks to be run, read or allocated when it is built."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from litegate.errors import ModelError
from litegate.source.causes import custom_class, is_wrapper

__all__ = ["check_config"]

_CODE = {"Lambda", "__lambda__"}
_WITHOUT_LAMBDA = (
    "Write it with layers or keras.ops, such as keras.layers.Rescaling(2.0, -1.0), or load the model where it is "
    "trusted and call model.export(folder), and give the folder."
)
_LOADERS = {"TFSMLayer": "filepath", "TorchModuleWrapper": "module"}
_VOCABULARIES = {"TextVectorization", "StringLookup", "IntegerLookup"}
_SIZES = ("units", "filters", "input_dim", "output_dim")


def check_config(config: Any, elements: int, where: str) -> None:
    """Refuse an architecture that would run code, read other files, or allocate more than the file can fill.

    Args:
        config: the parsed JSON.
        elements: how many numbers the file's weights hold.
        where: the spec key and the URI, for messages.

    Raises:
        ModelError: with the layer that asks for it.
    """
    for kind, layer, values in _objects(config):
        name = values.get("name", "without a name")
        if kind in _CODE:
            found = f"the Lambda layer {name!r}, which is pickled code\n{_WITHOUT_LAMBDA}"
            raise ModelError(where, "no code in the model file", found)
        if kind in _LOADERS or (kind in _VOCABULARIES and isinstance(values.get("vocabulary"), str)):
            raise ModelError(where, "a model in one file", f"the {kind} {name!r}, which reads another one")
        if custom := _custom(layer):
            expected = "layers that Keras has itself, or an exported SavedModel"
            found = f"the custom class {custom}, layer {name!r}{_around(values)}"
            raise ModelError(where, expected, f"{found}\n{custom_class(custom)}")
        _check_sizes(kind, name, values, elements, where)


def _objects(value: Any) -> Iterator[tuple[str, Mapping[str, Any], Mapping[str, Any]]]:
    """Every serialized object, at any depth: its class, itself and its own configuration."""
    stack = [value]
    while stack:
        item = stack.pop()
        if isinstance(item, dict):
            kind = item.get("class_name")
            if isinstance(kind, str):
                inner = item.get("config")
                yield kind, item, inner if isinstance(inner, dict) else {}
            stack += item.values()
        elif isinstance(item, list):
            stack += item


def _around(values: Mapping[str, Any]) -> str:
    """What a wrapper is around, which has the name that people know."""
    inner = values.get("layer")
    config = inner.get("config") if isinstance(inner, dict) else None
    return f" around {config['name']!r}" if isinstance(config, dict) and "name" in config else ""


def _custom(layer: Mapping[str, Any]) -> str | None:
    """The class where it is not Keras's own: Keras would import the module that the file names."""
    kind = str(layer["class_name"])
    if is_wrapper(kind):
        return repr(kind)
    module, registered = layer.get("module"), layer.get("registered_name")
    if ">" in kind or (isinstance(registered, str) and ">" in registered):
        return repr(registered if isinstance(registered, str) else kind)
    outside = isinstance(module, str) and module.partition(".")[0] not in (
        "keras",
        "tf_keras",
        "builtins",
        "tensorflow",
    )
    unnamed = "module" in layer and module is None and kind not in ("function", "__tuple__", "__numpy__", "__tensor__")
    return f"'{module}.{kind}'" if outside else repr(kind) if unnamed else None


def _check_sizes(kind: str, name: object, values: Mapping[str, Any], elements: int, where: str) -> None:
    """A layer of two thousand million units has at least as many weights, or the file is not whole."""
    sizes = [values.get(key) for key in _SIZES]
    for key, size in zip(_SIZES, sizes, strict=True):
        if isinstance(size, int | float) and size > elements:
            expected = f"at most as many {key} as the file has weights ({elements:,})"
            raise ModelError(where, expected, f"{key} {size:,} of the {kind} layer {name!r}")
