"""Why a model is refused, in words that say what to do: a table of causes, told by what Keras or the converter says.

A message names the operator, layer or type in its first line and the cure in the second; what was said itself follows.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from litegate.errors import ModelError

__all__ = [
    "CAUSES",
    "QUANTIZED_ALREADY",
    "RANDOM",
    "Cause",
    "custom_class",
    "is_wrapper",
    "not_converted",
    "not_exported",
    "not_loaded",
    "quoted",
    "wrapper_of",
]

RANDOM = re.compile(
    r"Stateful(Uniform|StandardNormal|TruncatedNormal|RandomBinomial)\w*"
    r"|(Stateless)?(Random|Parameterized|TruncatedNormal|Multinomial)\w*"
    r"|NonDeterministicInts|Rng(Skip|ReadAndSkip)|(Log)?UniformCandidateSampler"
)
"""TensorFlow's operators that draw random numbers."""

_LONGEST, _MOST = 1200, 3
_EXPECTED = "a model that LiteRT's converter accepts"


@dataclass(frozen=True)
class Cause:
    """A row of the table.

    Attributes:
        name: of the row.
        said: what the converter or Keras says in this case.
        wrong: what is wrong, in a few words, of which `{}` stands for operators with their layers, or for a class.
        cure: what to do.
    """

    name: str
    said: str
    wrong: str
    cure: str

    def fits(self, text: str) -> bool:
        """Whether this is the cause of a message."""
        return re.search(self.said, text) is not None


_FROM_FILE = "Give litegate the .keras file, which it loads in float32, or export the model anew after "

CAUSES = (
    Cause(
        "half precision",
        r"ERROR_NEEDS_FLEX_OPS(?s:.)*[x<]b?f16>",
        "{} in {type} (mixed precision)",
        _FROM_FILE + "keras.config.set_dtype_policy('float32') and loading the weights.",
    ),
    Cause(
        "float64",
        r"(neither a custom op nor a flex op|must be|NEEDS_FLEX)(?s:.)*[x<]f64>",
        "{} in float64",
        "Build and save the model in float32: keras.config.set_floatx('float32'), or tf.cast(x, tf.float32).",
    ),
    Cause(
        "complex",
        r"(neither a custom op nor a flex op)(?s:.)*[x<]complex<",
        "{} of complex numbers",
        "Compute with real and imaginary parts apart, or move this part into `preprocess`.",
    ),
    Cause(
        "strings",
        r"(neither a custom op nor a flex op)(?s:.)*(tf_type\.string|LookupTable|Hash_?Table)",
        "{}, which takes strings",
        "Turn strings into numbers in `preprocess`, and save the model without that part: from its ids onward.",
    ),
    Cause(
        "random numbers",
        rf"'tf\.({RANDOM.pattern})' op",
        "{}, which draws random numbers",
        "Save the model without it, or for inference: training=False, no layer called with training=True.",
    ),
    Cause(
        "custom operators",
        r"Custom ops: (?!.*TF Select)",
        "{}, which LiteRT lacks",
        "Replace it by operators that LiteRT has, or move this part into `preprocess`.",
    ),
    Cause(
        "an argmax of Keras",
        r"TF Select ops: (\w+, )*BitwiseAnd",
        "{}, which LiteRT lacks; keras.ops.argmax and argmin come to it",
        "Save the model with its scores: metrics of classes and `iou` take the argmax themselves. Or take tf.argmax, "
        "in a SavedModel.",
    ),
    Cause(
        "Flex operators",
        r"TF Select ops:|neither a custom op nor a flex op",
        "{}, which LiteRT lacks",
        "Replace it by operators that LiteRT has, or move this part into `preprocess`. Select TensorFlow operators "
        "(Flex) are no way out: LiteRT's interpreter cannot run them.",
    ),
    Cause(
        "recurrent layers",
        r"TensorList",
        "a SavedModel with recurrent layers for a batch of any size",
        "Give litegate the .keras file, from which they can be unrolled, or export the model for a batch of one.",
    ),
    Cause(
        "damaged variables",
        r"DataLossError|TensorBundle|TensorSliceReader|Read (less|fewer) bytes|not an sstable|Unable to read file",
        "a SavedModel whose variables are missing or damaged",
        "Copy the whole folder anew, `variables` with it, or export the model anew.",
    ),
    Cause(
        "no signature",
        r"Only support at least one signature key",
        "a SavedModel without a signature",
        "Save it with one: tf.saved_model.save(model, path, signatures={'serving_default': model.serve}).",
    ),
)

_NOT_LOADED = (
    Cause(
        "custom layers",
        r"Unknown (layer|object|activation function|loss function|metric function): '?([\w>.]+)|"
        r"[Cc]ould not locate (class|function) '([^']+)'",
        "the custom class '{}'",
        "Export it where the class is known: load the model there and call model.export(folder), and give the folder.",
    ),
    Cause(
        "another version of Keras",
        r"[Uu]nrecognized keyword arguments?|got an unexpected keyword|could not be deserialized properly",
        "a layer of another version of Keras{}",
        "Export it with the version of Keras that saved it: model.export(folder), and give the folder.",
    ),
)

_WRAPPERS = MappingProxyType(
    {
        "PruneLowMagnitude": "Strip the wrapper before saving: tfmot.sparsity.keras.strip_pruning(model).save(...).",
        "ClusterWeights": "Strip the wrapper before saving: tfmot.clustering.keras.strip_clustering(model).save(...).",
    }
)
QUANTIZED_ALREADY = (
    "It was prepared for quantization already, which litegate does itself. Save the float model: as it was before "
    "quantize_model(), quantize_apply() or model.quantize(), with the trained weights copied into it layer by layer."
)
"""What to do about a model that another tool has prepared for quantization."""
_SCOPES = MappingProxyType({"prune_low_magnitude": "PruneLowMagnitude", "cluster": "ClusterWeights"})
"""Wrappers by what they put before the name of their layer."""


def is_wrapper(kind: str) -> bool:
    """Whether a class prepares a layer for another tool, Keras' own quantization among them."""
    own = kind in ("QuantizedDTypePolicy", "QuantizedFloat8DTypePolicy", "GPTQDTypePolicy", "AWQDTypePolicy")
    return own or kind in _WRAPPERS or kind.startswith(("QuantizeWrapper", "QuantizeLayer", "QuantizeAnnotate"))


def wrapper_of(node: str) -> tuple[str, str] | None:
    """The wrapper that a node of a graph belongs to, and its layer: `net/prune_low_magnitude_head/AssignVariableOp`."""
    found = re.search(rf"(?:^|/)({'|'.join(_SCOPES)})_([^/]+)/", node)
    return (_SCOPES[found[1]], found[2]) if found else None


def custom_class(kind: str) -> str:
    """What to do about a class that Keras does not have itself."""
    name = re.split(r"[.>]", kind.strip("'"))[-1]
    if name in _WRAPPERS:
        return _WRAPPERS[name]
    return QUANTIZED_ALREADY if is_wrapper(name) else _NOT_LOADED[0].cure


def not_converted(error: Exception | str, where: str) -> ModelError:
    """What the converter's refusal comes to."""
    text = error if isinstance(error, str) else f"{type(error).__name__}: {error}"
    cause = next((cause for cause in CAUSES if cause.fits(text)), None)
    if cause is None:
        return ModelError(where, _EXPECTED, quoted(text))
    half = "bfloat16" if "bf16" in text else "float16"
    found = cause.wrong.format(_operators(text), type=half)
    return ModelError(where, _EXPECTED, f"{found}\n{cause.cure}\nThe converter: {quoted(_summary(text))}")


def not_exported(error: Exception, where: str) -> ModelError:
    """What Keras' refusal to export comes to."""
    return ModelError(where, "a model that Keras can export", quoted(f"{type(error).__name__}: {error}"))


def not_loaded(errors: Mapping[str, Exception], where: str) -> ModelError:
    """What the refusals of both libraries to load a file come to.

    Args:
        errors: by library, the one that should have loaded it first.
    """
    said = "; ".join(f"{name}: {type(error).__name__}: {quoted(str(error), 400)}" for name, error in errors.items())
    expected = "a model that Keras 3 or Keras 2 can load"
    for text in map(str, errors.values()):
        for cause in _NOT_LOADED:
            if cause.fits(text):
                name = _class_in(text)
                cure = custom_class(name) if cause.name == "custom layers" else cause.cure
                given = name if cause.name == "custom layers" else f": {name}" if name else ""
                return ModelError(where, expected, f"{cause.wrong.format(given)}\n{cure}\n{said}")
    return ModelError(where, expected, said)


def quoted(text: str, longest: int = _LONGEST) -> str:
    """What a library said, on one line of bounded length."""
    return " ".join(text.split())[:longest]


def _summary(text: str) -> str:
    """What the converter says at the end of what may be hundreds of lines about places in its own graph."""
    found = re.search(
        r"Some ops (?:are not supported by|in the model are custom).*?(?=\n\s*\n|<unknown>|$)", text, re.DOTALL
    )
    return found[0] if found else text


def _class_in(text: str) -> str:
    found = re.search(_NOT_LOADED[0].said, text)
    if found:
        return found[2] or found[4]
    named = re.search(r"class '?([\w.>]+)'?", text)
    return named[1] if named else ""


def _operators(text: str) -> str:
    """The operators in question with the layers that they belong to, as far as the message tells."""
    places: dict[str, str] = {}
    for name, layer in _places(text):
        places.setdefault(name, layer)
    listed = re.search(r"(?:TF Select|Custom) ops: ([^\n]+)", text)
    names = list(places) or ([name.strip() for name in listed[1].split(",")] if listed else [])
    said = [f"{name} (layer {places[name]})" if places.get(name) else name for name in names[:_MOST]]
    more = f" and {len(names) - _MOST} more" if len(names) > _MOST else ""
    return ", ".join(said) + more or "an operator"


def _places(text: str) -> Iterator[tuple[str, str]]:
    """Operators that the message complains of, each with the scope of its node: that is Keras' layer."""
    pattern = r'fused\["\w+:", "([^"@]+)(?:@[^"]*)?"\][^\n]*?: (?:error: )?\'tf\.(\w+)\' op'
    for node, name in dict.fromkeys(re.findall(pattern, text)):
        yield name, node.rpartition("/")[0]
    if not re.search(pattern, text):
        yield from ((name, "") for name in re.findall(r"'tf\.(\w+)' op", text))
