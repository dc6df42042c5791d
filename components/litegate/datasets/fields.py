"""From the fields of a record, whatever its format, to the arrays that an input takes and a label.

An encoded image becomes float32 values in 0..255, as in an image folder. Numbers get the type of their input
where no value changes by it; decimals are rounded to the input's float type, since CSV, Parquet and JSON have
only one or two of their own. Flat lists get the shape of their input where they have its size.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from litegate.datasets.pictures import decode_image, decode_mask
from litegate.errors import DataError

__all__ = ["Fields", "Raw", "Wanted", "choose_fields"]

Array = np.ndarray[Any, np.dtype[Any]]
Raw = Array | bytes
_NUMBERS = "biuf"


@dataclass(frozen=True)
class Wanted:
    """What the spec says of a dataset's fields; see `litegate.records.DataRef`."""

    label: str = "label"
    features: Mapping[str, str | Sequence[str]] | None = None
    group: str | None = None
    slices: Sequence[str] = ()
    besides: Sequence[str] = ()

    @property
    def arrays(self) -> Mapping[str, str]:
        """The one field that feeds each input, where the spec says so."""
        return {feature: name for feature, name in (self.features or {}).items() if isinstance(name, str)}

    def is_feature(self, name: str, inputs: Collection[str]) -> bool:
        """Whether a field may feed the model unless the spec says otherwise: a slice only by an input's own name."""
        if name in (self.label, self.group):
            return False
        return name not in (*self.slices, *self.besides) or name in inputs


@dataclass(frozen=True)
class Fields:
    """Which fields of a record go where; can be sent to other processes.

    Attributes:
        sources: names of fields by feature; several are stacked into one vector.
        label: name of the field with the label, None where there is none.
        inputs: the signature's inputs, by name.
        where: the spec key and the URI, for messages.
    """

    sources: Mapping[str, tuple[str, ...]]
    label: str | None
    inputs: Mapping[str, Any]
    where: str

    @property
    def names(self) -> tuple[str, ...]:
        """All fields that are read, the label's apart."""
        return tuple(dict.fromkeys(name for source in self.sources.values() for name in source))

    def features(self, record: Mapping[str, Raw], place: str) -> dict[str, Array]:
        """Arrays without a batch axis, by feature.

        Raises:
            DataError: a field is missing, or is not what its input takes; `place` names the record.
        """
        for name in self.names:
            if name not in record:
                raise DataError(f"{self.where}: {place}", f"the field {name!r}", _listed(record))
        return {feature: self._feature(feature, record, place) for feature in self.sources}

    def target(self, value: Raw | None, place: str) -> Array:
        """A label that is no class.

        Raises:
            DataError: it is missing, or is neither numbers nor an image of one channel.
        """
        place = f"{self.where}: {place}: field {self.label!r}"
        if value is None:
            raise DataError(place, "a label, as the other samples have", "none")
        target = decode_mask(value, place) if isinstance(value, bytes) else value
        if target.dtype.kind not in _NUMBERS:
            raise DataError(place, "numbers", str(target.dtype))
        return target

    def _feature(self, feature: str, record: Mapping[str, Raw], place: str) -> Array:
        tensor = self.inputs.get(feature) or self.inputs.get(feature.rpartition("/")[2])
        names = self.sources[feature]
        if len(names) == 1:
            value = self._array(record[names[0]], tensor, f"{self.where}: {place}: field {names[0]!r}")
        else:
            value = self._array(_stacked([record[name] for name in names], feature, place), tensor, place)
        shape = () if tensor is None else tensor.shape[1:]
        fits = tensor is not None and -1 not in shape and math.prod(shape) == value.size
        return value.reshape(shape) if fits else value

    def _array(self, value: Raw, tensor: Any, place: str) -> Array:
        if isinstance(value, bytes):
            value = decode_image(value, 1 if tensor is not None and tensor.shape[-1:] == (1,) else 3, place)
        if value.dtype.kind not in _NUMBERS:
            raise DataError(place, "numbers or an encoded image", str(value.dtype))
        return value if tensor is None else _cast(value, tensor.real_dtype, place)


def choose_fields(
    names: Sequence[str], inputs: Mapping[str, Any], wanted: Wanted, where: str, numbers: Sequence[str] = ()
) -> Fields:
    """Which of a dataset's fields feed the model.

    Those that the spec names; else those with the names of the inputs; else, for a model with one input, the
    only field there is; else, for a table, all columns that are single numbers, in their order.

    Args:
        names: the fields of the first record.
        numbers: those that hold a single number in every record, where the format is a table.

    Raises:
        DataError: none of these.
    """
    label = wanted.label if wanted.label in names else None
    rest = [name for name in names if wanted.is_feature(name, inputs)]
    given = {
        feature: (each,) if isinstance(each, str) else tuple(each) for feature, each in (wanted.features or {}).items()
    }
    known = set(names)
    missing = [name for source in given.values() for name in source if name not in known]
    if missing:
        raise DataError(where, f"the fields that `features` names, {', '.join(missing)} among them", _listed(names))
    sources = given or _by_name(rest, inputs)
    unambiguous = len(rest) == 1 or (rest and set(rest) <= set(numbers))
    if not sources and len(_plain(inputs)) == 1 and unambiguous:
        sources = {_plain(inputs)[0]: tuple(rest)}
    if not sources:
        expected = f"fields named {', '.join(_plain(inputs))}, or `features` in the spec to say which they are"
        raise DataError(where, expected, _listed(rest))
    return Fields(sources, label, inputs, where)


def _by_name(rest: Sequence[str], inputs: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    """Fields with the names of all inputs, or such as `<signature>/<input>`."""
    if set(_plain(inputs)) <= set(rest):
        return {name: (name,) for name in _plain(inputs)}
    prefixed = [name for name in rest if name in inputs or name.partition("/")[2] in inputs]
    found = {name.partition("/")[2] for name in prefixed}
    return {name: (name,) for name in prefixed} if set(_plain(inputs)) <= found else {}


def _plain(inputs: Mapping[str, Any]) -> list[str]:
    """The names of the inputs of one signature; those of others have the signature's key before them."""
    return [name for name in inputs if "/" not in name] or list(inputs)


def _stacked(parts: Sequence[Raw], feature: str, place: str) -> Array:
    numbers = [part.reshape(1) for part in parts if not isinstance(part, bytes) and part.size == 1]
    if len(numbers) < len(parts):
        raise DataError(place, f"single numbers to stack for {feature!r}", "lists or bytes")
    return np.concatenate(numbers)


def _cast(value: Array, dtype: Any, place: str) -> Array:
    if value.dtype == dtype:
        return value
    if value.dtype.kind == "f" and np.dtype(dtype).kind == "f":
        with np.errstate(over="ignore"):  # what becomes infinite is refused with what is
            return value.astype(dtype)
    with np.errstate(invalid="ignore"):
        whole: Array = value.astype(dtype)
    if not np.array_equal(whole.astype(np.float64), value.astype(np.float64)):
        raise DataError(place, f"values that fit {dtype}", f"{value.dtype} from {value.min()} to {value.max()}")
    return whole


def _listed(names: Any) -> str:
    found = ", ".join(map(str, names))
    return f"{found:.300}" or "no fields"
