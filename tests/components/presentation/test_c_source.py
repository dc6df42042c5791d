"""A model as C source: a compiler takes it, and what it holds is the file."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from litegate.presentation.c_source import c_files, firmware_files, identifier, method
from tests.components.gate.test_device_facts import QUANTIZE, placed
from tests.components.gate.test_file_facts import inspection, smoked

CONTENT = bytes(range(256)) * 3 + b"end"

PROGRAM = """
#include <stdint.h>
#include <stdio.h>
#include "m_1_net_int8.h"

int main(void) {
    if ((uintptr_t)m_1_net_int8 % 16) return 1;
    if (M_1_NET_INT8_ARENA_BYTES != 5000 || M_1_NET_INT8_OPERATORS != 2) return 2;
    return fwrite(m_1_net_int8, 1, m_1_net_int8_len, stdout) != m_1_net_int8_len;
}
"""

RESOLVER = """
#include <cstdio>
#include "m_1_net_int8.h"

struct Resolver {
    void AddConv2D() { std::puts("Conv2D"); }
    void AddSoftmax() { std::puts("Softmax"); }
};

int main() {
    Resolver resolver;
    M_1_NET_INT8_ADD_OPERATORS(resolver)
    return m_1_net_int8[0];
}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    used = [
        {"name": name, "computes": "integer", "inputs": (), "outputs": (), "count": 1, "macs": 0}
        for name in ("SOFTMAX", "CONV_2D", "CONV_2D")
    ]
    found = inspection().to_json() | {"operators": used}
    measured = smoked("int8", arena_bytes=5000, activation_bytes=4000, runtime="tflite_micro 1.0")
    candidate = measured.model_copy(update={"inspection": type(inspection()).model_validate(found)})
    for name, text in c_files("1-net-int8", candidate, CONTENT).items():
        (tmp_path / name).write_text(text)
    return tmp_path


def run(folder: Path, program: str, text: str, *compiler: str) -> bytes:
    (folder / program).write_text(text)
    subprocess.run([*compiler, "-Wall", "-Wextra", "-Werror", "-o", "a.out"], cwd=folder, check=True)
    return subprocess.run([folder / "a.out"], check=True, capture_output=True).stdout


@pytest.mark.skipif(shutil.which("cc") is None, reason="there is no C compiler")
def test_a_compiler_takes_it_and_it_holds_the_file(folder: Path) -> None:
    compiler = ("cc", "-std=c11", "-pedantic", "main.c", "m_1_net_int8.c")
    assert run(folder, "main.c", PROGRAM, *compiler) == CONTENT


@pytest.mark.skipif(shutil.which("c++") is None, reason="there is no C++ compiler")
def test_firmware_in_c_plus_plus_registers_its_operators(folder: Path) -> None:
    subprocess.run(["cc", "-c", "m_1_net_int8.c"], cwd=folder, check=True)
    found = run(folder, "main.cc", RESOLVER, "c++", "-std=c++17", "main.cc", "m_1_net_int8.o")
    assert found.split() == [b"Conv2D", b"Softmax"]


def test_firmware_for_an_ethos_u_has_the_compiled_file_and_the_operator_that_calls_it() -> None:
    found = placed(QUANTIZE)
    files = firmware_files("net-int8", found, b"compiled")
    assert set(files) == {"net_int8.h", "net_int8.c", "net-int8_vela.tflite"}
    assert files["net-int8_vela.tflite"] == b"compiled"
    header = files["net_int8.h"].decode()
    for said in (
        "net-int8: int8, compiled for ethos-u55-128 by vela 5, 8 bytes",
        f"SHA-256 {found.shipped.digest}",
        f"made of the file that was judged, SHA-256 {found.artifact.file.digest}",
        "SRAM, as estimated for s: 100 bytes",
        "#define NET_INT8_ESTIMATED_SRAM_BYTES 100",
        "#define NET_INT8_OPERATORS 2",
        "(resolver).AddEthosU();",
        "(resolver).AddQuantize();",
    ):
        assert said in header
    assert "_ARENA_BYTES" not in header, "which nobody measured"


def test_the_header_says_what_the_file_is_and_needs(folder: Path) -> None:
    header = (folder / "m_1_net_int8.h").read_text()
    for said in ("1-net-int8: int8, 771 bytes", "SHA-256 ", "Arena: 5,000 bytes", "by tflite_micro 1.0"):
        assert said in header


@pytest.mark.parametrize(
    ("operator", "name"),
    [
        ("CONV_2D", "AddConv2D"),
        ("DEPTHWISE_CONV_2D", "AddDepthwiseConv2D"),
        ("L2_NORMALIZATION", "AddL2Normalization"),
        ("SPACE_TO_BATCH_ND", "AddSpaceToBatchNd"),
        ("RELU6", "AddRelu6"),
        ("PADV2", "AddPadV2"),
        ("BATCH_MATMUL", "AddBatchMatMul"),
        ("UNIDIRECTIONAL_SEQUENCE_LSTM", "AddUnidirectionalSequenceLSTM"),
        ("TFLite_Detection_PostProcess", "AddDetectionPostprocess"),
    ],
)
def test_methods_are_called_as_the_resolver_has_them(operator: str, name: str) -> None:
    assert method(operator) == name


def test_names_in_c_are_made_of_what_c_accepts() -> None:
    assert identifier("my model.v2-int8") == "my_model_v2_int8"
    assert identifier("8bit") == "m_8bit"
