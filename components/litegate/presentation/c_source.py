"""A .tflite file as C source, as firmware with TensorFlow Lite Micro has its models."""

from __future__ import annotations

import re
from collections.abc import Iterator

from litegate.records import Candidate

__all__ = ["c_files", "compiled_name", "firmware_files", "identifier"]

_COLUMNS = 20
_ALIGNMENT = 16
"""Bytes: as flatbuffers of TensorFlow Lite are aligned."""

_METHODS = {
    "BATCH_MATMUL": "BatchMatMul",
    "CUMSUM": "CumSum",
    "PADV2": "PadV2",
    "TFLite_Detection_PostProcess": "DetectionPostprocess",
    "UNIDIRECTIONAL_SEQUENCE_LSTM": "UnidirectionalSequenceLSTM",
}
"""Of tflite::MicroMutableOpResolver, without `Add`, where it does not follow from the operator's name.

Source: tensorflow/lite/micro/micro_mutable_op_resolver.h of tflite-micro.
"""


def c_files(name: str, candidate: Candidate, content: bytes) -> dict[str, str]:
    """A header and a source file, by their names.

    The header says what the file is and what it needs, and has a macro that registers its operators with a
    `tflite::MicroMutableOpResolver`.

    Args:
        name: what the file is called, which the names in C follow.
        candidate: the measured variant whose file it is.
        content: the bytes of the file that the device gets.
    """
    word = identifier(name)
    about = "\n".join(f" * {line}" for line in _about(name, candidate, len(content)))
    return {f"{word}.h": _header(word, about, candidate), f"{word}.c": _source(word, about, content)}


def firmware_files(name: str, candidate: Candidate, content: bytes) -> dict[str, bytes]:
    """The C source, and the file itself where a compiler made it, by their names; arguments as for `c_files`."""
    found = {named: text.encode() for named, text in c_files(name, candidate, content).items()}
    compiled = candidate.shipped != candidate.artifact.file
    return found | ({compiled_name(name): content} if compiled else {})


def compiled_name(name: str) -> str:
    """What the compiled file of a variant is called."""
    return f"{name}_vela.tflite"


def identifier(name: str) -> str:
    """A name that C accepts."""
    word = re.sub(r"\W", "_", name, flags=re.ASCII)
    return f"m_{word}" if word[:1].isdigit() else word


def method(operator: str) -> str:
    """What `MicroMutableOpResolver` calls the method that adds an operator."""
    parts = (part if part[:1].isdigit() else part.capitalize() for part in operator.split("_"))
    return f"Add{_METHODS.get(operator) or ''.join(parts)}"


def _about(name: str, candidate: Candidate, size: int) -> Iterator[str]:
    judged, smoke = candidate.artifact, candidate.smoke
    placed = smoke.placement if smoke else None
    if placed is not None:
        yield f"{name}: {judged.variant}, compiled for {placed.accelerator} by {placed.compiler}, {size:,} bytes"
        yield f"SHA-256 {placed.compiled.digest}"
        yield f"made of the file that was judged, SHA-256 {judged.file.digest}"
        yield f"SRAM, as estimated for {placed.system}: {placed.sram_bytes:,} bytes; the arena needs no less."
        return
    yield f"{name}: {judged.variant}, {size:,} bytes"
    yield f"SHA-256 {judged.file.digest}"
    if smoke is not None and smoke.arena_bytes is not None:
        yield f"Arena: {smoke.arena_bytes:,} bytes with pointers of 64 bits, on a 32-bit device no more;"
        yield f"{smoke.activation_bytes or 0:,} of them for activations. Measured by {smoke.runtime}."


def _header(word: str, about: str, candidate: Candidate) -> str:
    upper, footprint = word.upper(), candidate.footprint
    operators = list(footprint.operators) if footprint else []
    memory = (
        f"{'ESTIMATED_SRAM' if footprint.estimated_by else 'ARENA'}_BYTES {footprint.ram_bytes}" if footprint else ""
    )
    return _lines(
        f"/*\n{about}\n */",
        f"#ifndef {upper}_H\n#define {upper}_H\n",
        *([f"#define {upper}_{memory}"] if memory else []),
        *([f"#define {upper}_OPERATORS {len(operators)}"] if operators else []),
        *_registers(upper, operators),
        '\n#ifdef __cplusplus\nextern "C" {\n#endif',
        f"extern const unsigned char {word}[];\nextern const unsigned int {word}_len;",
        "#ifdef __cplusplus\n}\n#endif\n\n#endif",
    )


def _registers(upper: str, operators: list[str]) -> Iterator[str]:
    """For a `tflite::MicroMutableOpResolver<..._OPERATORS>`."""
    if operators:
        calls = " \\\n".join(f"  (resolver).{method(operator)}();" for operator in operators)
        yield f"#define {upper}_ADD_OPERATORS(resolver) \\\n{calls}"


def _source(word: str, about: str, content: bytes) -> str:
    rows = (content[start : start + _COLUMNS] for start in range(0, len(content), _COLUMNS))
    return _lines(
        f"/*\n{about}\n */",
        f'#include "{word}.h"\n',
        f"_Alignas({_ALIGNMENT}) const unsigned char {word}[] = {{",
        *("  " + ",".join(f"0x{byte:02x}" for byte in row) + "," for row in rows),
        f"}};\nconst unsigned int {word}_len = {len(content)};",
    )


def _lines(*lines: str) -> str:
    return "\n".join(lines) + "\n"
