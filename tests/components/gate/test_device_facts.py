"""What a file must keep of a device: each limit at and beside it, and what is not known."""

from __future__ import annotations

from typing import Any

import pytest

from litegate.gate.device_facts import DEVICE_CLAUSES, DEVICE_LIMITS, device_refusals
from litegate.records import Candidate, CpuOperator, FileRef, Placement
from litegate.spec import Gate
from tests.components.gate.test_file_facts import candidate, inspection, smoked

QUANTIZE = CpuOperator(operator="QUANTIZE", output="input", reason="unsupported DataType Float32")
COMPILED = FileRef(name="int8-ethos-u55-128.tflite", digest="3" * 64, bytes=90)


def placement(*on_cpu: CpuOperator, **changes: Any) -> Placement:
    facts: dict[str, Any] = {"accelerator": "ethos-u55-128", "compiler": "vela 5", "system": "s", "operators": 3}
    facts |= {"accelerated": 1, "sram_bytes": 100, "cycles": 1000, "milliseconds": 0.1, "compiled": COMPILED}
    return Placement.model_validate(facts | {"on_cpu": on_cpu} | changes)


def placed(*on_cpu: CpuOperator, **changes: Any) -> Candidate:
    return with_bytes(smoked("int8", placement=placement(*on_cpu, **changes)))


def with_bytes(found: Candidate) -> Candidate:
    return found.model_copy(update={"inspection": inspection()})


ON_CPU = placed(QUANTIZE)
NOTHING = placed(QUANTIZE, QUANTIZE, QUANTIZE, accelerated=0, cycles=None, sram_bytes=0)
IN_AN_ARENA = with_bytes(smoked("int8", arena_bytes=100))

ROWS = [
    pytest.param({}, placed(), (), "", id="nothing asked for"),
    pytest.param({}, ON_CPU, (), "", id="an operator on the CPU is no reason by itself"),
    pytest.param({}, NOTHING, ("not_accelerated",), "nothing of it runs on ethos-u55-128, by vela 5", id="nothing"),
    pytest.param({"max_cpu_operators": 1}, ON_CPU, (), "", id="as many on the CPU as allowed"),
    pytest.param(
        {"max_cpu_operators": 0},
        ON_CPU,
        ("too_many_cpu_operators",),
        "1 operator stays on the CPU, at most 0 allowed: QUANTIZE (unsupported DataType Float32)",
        id="one too many",
    ),
    pytest.param({"max_sram_bytes": 100, "max_cycles": 1000}, placed(), (), "", id="as much as allowed"),
    pytest.param(
        {"max_sram_bytes": 99}, placed(), ("sram_too_large",), "100 bytes of SRAM, as estimated by vela 5", id="SRAM"
    ),
    pytest.param(
        {"max_cycles": 999}, placed(), ("too_many_cycles",), "1,000 cycles, as estimated by vela 5", id="cycles"
    ),
    pytest.param(
        {"max_cycles": 2000, "max_sram_bytes": 200},
        ON_CPU,
        ("estimate_incomplete", "estimate_incomplete"),
        "bytes of SRAM are not known: 1 operator stays on the CPU, which the estimates of vela 5 leave out",
        id="estimates leave out what stays on the CPU",
    ),
    pytest.param({"max_cycles": 999}, ON_CPU, ("too_many_cycles",), "1,000 cycles", id="already too many"),
    pytest.param(
        {"max_cycles": 1}, NOTHING, ("not_accelerated", "estimate_incomplete"), "cycles are not known", id="no cycles"
    ),
    *(
        pytest.param({name: 10**9}, IN_AN_ARENA, ("placement_unknown",), f"{name} asks for it", id=f"{name}: unknown")
        for name in ("max_cpu_operators", "max_sram_bytes", "max_cycles")
    ),
    pytest.param({"max_flash_bytes": 90}, placed(), (), "", id="flash: the compiled file"),
    pytest.param(
        {"max_flash_bytes": 89}, placed(), ("flash_too_large",), "90 bytes of flash, at most 89 allowed", id="a byte"
    ),
    pytest.param({"max_flash_bytes": 100}, IN_AN_ARENA, (), "", id="flash: the file itself"),
    pytest.param({"max_flash_bytes": 99}, IN_AN_ARENA, ("flash_too_large",), "100 bytes of flash", id="a byte more"),
    pytest.param(
        {"max_flash_bytes": 10**9}, with_bytes(candidate("int8")), ("flash_unknown",), "is not known", id="flash: ?"
    ),
]


@pytest.mark.parametrize(("policy", "variant", "codes", "says"), ROWS)
def test_a_limit_is_kept_or_the_reason_names_it(
    policy: dict[str, int], variant: Candidate, codes: tuple[str, ...], says: str
) -> None:
    reasons = tuple(device_refusals(Gate.model_validate(policy), variant))
    assert tuple(reason.code for reason in reasons) == codes
    assert says in "; ".join(reason.message for reason in reasons)


def test_what_is_not_known_is_not_a_limit_that_is_broken() -> None:
    codes = {code for row in ROWS for code in row.values[2]}
    assert {code for code in codes if not code.endswith("_unknown")} | {"arena_too_large"} == DEVICE_LIMITS
    assert set(Gate.model_fields) >= DEVICE_CLAUSES


def test_what_the_device_gets_is_what_the_compiler_made() -> None:
    footprint = placed().footprint
    assert footprint is not None
    assert (placed().shipped, IN_AN_ARENA.shipped) == (COMPILED, IN_AN_ARENA.artifact.file)
    assert footprint.operators == ("ETHOS_U",)
    assert (NOTHING.footprint and NOTHING.footprint.operators) == ("QUANTIZE",)
    assert str(footprint) == (
        "90 bytes of flash, 100 bytes of SRAM and 1,000 cycles, as estimated by vela 5; operators: ETHOS_U"
    )
    assert "100 bytes of arena" in str(IN_AN_ARENA.footprint)
