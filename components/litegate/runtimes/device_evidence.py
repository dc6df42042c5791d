"""What a real device gave of a file, sample by sample: the format in which any lab hands it over.

docs/how-to/device-evidence.md says what is in it. The file comes from outside, so all of it is checked before any of
it is used, and nothing in it is unpickled.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np

from litegate.errors import BadInput
from litegate.runtimes.npz_from_outside import arrays_of

__all__ = ["FORMAT", "OUTPUT", "Evidence", "fed_digests", "few", "read_evidence"]

Array = np.ndarray[Any, np.dtype[Any]]

FORMAT = 1
"""Files of another format are refused."""

OUTPUT = "output/"
"""What the names of outputs begin with."""

_TEXTS, _COLUMNS = ("artifact", "device", "runtime"), ("id", "fed", "seconds")
_LONGEST_TEXT, _LONGEST_ID, _SHOWN = 1000, 4096, 3


@dataclass(frozen=True)
class Evidence:
    """The content of such a file; n samples.

    Attributes:
        source: the file, as messages name it.
        artifact: SHA-256 of the .tflite file that ran, in hexadecimal.
        device: its name in the spec.
        runtime: what ran the file there, with versions, in the lab's own words.
        id: (n,) bytes, which sample it was.
        fed: (n,) bytes, the digest of what was fed, in hexadecimal; see `fed_digests`.
        outputs: (n, ...) by name, as the file gave them: neither dequantized nor rounded.
        seconds: (n,) float64, how long the device took for each.
    """

    source: str
    artifact: str
    device: str
    runtime: str
    id: Array
    fed: Array
    outputs: Mapping[str, Array]
    seconds: Array

    @property
    def milliseconds(self) -> tuple[float, float]:
        """Median and 95th percentile of the time for a sample."""
        median, late = np.percentile(1000 * self.seconds, (50, 95)).tolist()
        return median, late


def fed_digests(features: Mapping[str, Array]) -> Array:
    """A digest of what each sample feeds, by names, types, shapes and values.

    Args:
        features: real values by input name, (n, ...).

    Returns:
        (n,) bytes of length 32: BLAKE2b, 128 bits, in hexadecimal.
    """
    columns = [(name, np.ascontiguousarray(features[name])) for name in sorted(features)]
    layout = blake2b(repr([(name, each.dtype.str, each.shape[1:]) for name, each in columns]).encode(), digest_size=16)
    found = []
    for sample in range(len(columns[0][1])):
        digest = layout.copy()
        for _, values in columns:
            digest.update(values[sample].tobytes())
        found.append(digest.hexdigest().encode())
    return np.array(found, "S32")


def read_evidence(path: Path, source: str = "") -> Evidence:
    """The evidence in a file, complete and sound in itself; of which file and samples it is, is yet to be checked.

    Args:
        source: what messages call the file; its path if left out.

    Raises:
        BadInput: it is no such file, lacks something, has a sample twice, or numbers that are none.
    """
    source = source or str(path)
    arrays = arrays_of(path, source)
    outputs = {name.removeprefix(OUTPUT): arrays.pop(name) for name in list(arrays) if name.startswith(OUTPUT)}
    _check_names(arrays, outputs, source)
    artifact, device, runtime = (_text(arrays, name, source) for name in _TEXTS)
    found = Evidence(
        source,
        artifact,
        device,
        runtime,
        id=_names(arrays, "id", source),
        fed=_names(arrays, "fed", source),
        outputs=outputs,
        seconds=_seconds(arrays, source),
    )
    _check_rows(found)
    _check_values(found)
    return found


def _check_names(arrays: Mapping[str, Array], outputs: Mapping[str, Array], source: str) -> None:
    known = {"format", *_TEXTS, *_COLUMNS}
    missing, other = sorted(known - set(arrays)), sorted(set(arrays) - known)
    if missing or not outputs:
        raise BadInput(source, f"the arrays {', '.join(missing) or f'{OUTPUT}<name>'}", "none of them")
    if other:
        expected = f"the arrays {', '.join(sorted(known))} and {OUTPUT}<name>"
        raise BadInput(source, expected, f"others: {', '.join(other)[:200]}")
    if arrays["format"].shape != () or arrays["format"].dtype.kind not in "iu" or arrays["format"] != FORMAT:
        raise BadInput(f"{source}: format", str(FORMAT), f"{arrays['format']!r:.100}")


def _text(arrays: Mapping[str, Array], name: str, source: str) -> str:
    value = arrays[name]
    text = value.item() if value.shape == () and value.dtype.kind in "US" else None
    text = text.decode(errors="replace") if isinstance(text, bytes) else text
    if not isinstance(text, str) or not 0 < len(text) <= _LONGEST_TEXT or not text.isprintable():
        raise BadInput(
            f"{source}: {name}", f"one line of text, at most {_LONGEST_TEXT:,} characters", f"{value!r:.100}"
        )
    return text


def _names(arrays: Mapping[str, Array], name: str, source: str) -> Array:
    """(n,) bytes of texts."""
    value = arrays[name]
    if value.ndim != 1 or value.dtype.kind not in "SU" or value.dtype.itemsize > 4 * _LONGEST_ID:
        raise BadInput(f"{source}: {name}", "a text for each sample", f"shape {value.shape} and type {value.dtype}")
    return value if value.dtype.kind == "S" else np.char.encode(value, "utf-8")


def _seconds(arrays: Mapping[str, Array], source: str) -> Array:
    value = arrays["seconds"]
    if value.ndim != 1 or value.dtype.kind not in "fiu":
        found = f"shape {value.shape} and type {value.dtype}"
        raise BadInput(f"{source}: seconds", "a number for each sample", found)
    return value.astype(np.float64)


def _check_rows(evidence: Evidence) -> None:
    """There is a row for each sample, and each sample once."""
    size, source = len(evidence.id), evidence.source
    if not size:
        raise BadInput(f"{source}: id", "at least one sample", "none")
    outputs = {f"{OUTPUT}{name}": values for name, values in evidence.outputs.items()}
    for name, values in {"fed": evidence.fed, "seconds": evidence.seconds, **outputs}.items():
        if values.ndim == 0 or len(values) != size:
            raise BadInput(f"{source}: {name}", f"a row for each of {size:,} samples", f"shape {values.shape}")
    names, counts = np.unique(evidence.id, return_counts=True)
    if counts.max() > 1:
        raise BadInput(f"{source}: id", "each sample once", f"twice or more: {few(names[counts > 1].tolist())}")


def _check_values(evidence: Evidence) -> None:
    """No output and no time is NaN or infinite, and no time is negative."""
    source = evidence.source
    for name, values in {"seconds": evidence.seconds, **evidence.outputs}.items():
        where = f"{source}: {name if values is evidence.seconds else OUTPUT + name}"
        if values.dtype.kind not in "biuf":
            raise BadInput(where, "numbers", f"type {values.dtype}")
        if values.dtype.kind == "f" and not np.isfinite(values).all():
            rows = np.flatnonzero(~np.isfinite(values).reshape(len(values), -1).all(axis=1))
            raise BadInput(where, "finite numbers", f"NaN or infinity for {few(evidence.id[rows].tolist())}")
    late = np.flatnonzero(evidence.seconds < 0)
    if len(late):
        found = f"{evidence.seconds[late[0]]:g} for {few(evidence.id[late].tolist())}"
        raise BadInput(f"{source}: seconds", "times from 0 on", found)


def few(names: Sequence[bytes]) -> str:
    """The first of some samples, by name, for a message."""
    shown = ", ".join(repr(name.decode(errors="replace"))[:100] for name in names[:_SHOWN])
    return shown if len(names) <= _SHOWN else f"{shown} and {len(names) - _SHOWN:,} more"
