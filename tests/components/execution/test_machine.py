"""What of a machine counts, from texts of /proc/cpuinfo as they are."""

from __future__ import annotations

import platform

import pytest

from litegate.execution.machine import Machine, machine, processor

EPYC = """processor	: {core}
vendor_id	: AuthenticAMD
cpu family	: 25
model name	: AMD EPYC 9R14
cpu MHz		: {mhz}
flags		: fpu sse sse2 ssse3 sse4_1 sse4_2 avx avx2 fma f16c avx512f avx512_vnni {others}
bugs		: {bugs}
"""
GRAVITON = """processor	: {core}
BogoMIPS	: {mhz}
Features	: fp asimd asimdhp asimddp sve {others}
CPU implementer	: 0x41
CPU architecture: 8
CPU variant	: 0x1
CPU part	: 0xd40
"""


def host(text: str, cores: int, mhz: str, others: str = "", bugs: str = "") -> list[str]:
    """The processor of a host with so many cores."""
    return processor("\n".join(text.format(core=core, mhz=mhz, others=others, bugs=bugs) for core in range(cores)))


@pytest.mark.parametrize("text", [EPYC, GRAVITON])
def test_two_hosts_with_one_type_of_processor_are_alike(text: str) -> None:
    assert host(text, 2, "2600.000") == host(text, 96, "3701.143") != []


def test_what_the_kernel_does_against_attacks_says_nothing_of_the_type() -> None:
    assert host(EPYC, 2, "1", "ibpb srso_no", "spectre_v2") == host(EPYC, 2, "1", "md_clear", "retbleed srso")


@pytest.mark.parametrize(("text", "feature"), [(EPYC, "avx512_bf16"), (EPYC, "amx_int8"), (GRAVITON, "i8mm")])
def test_an_instruction_more_is_another_type(text: str, feature: str) -> None:
    assert host(text, 2, "1", feature) != host(text, 2, "1")


def test_another_name_is_another_type() -> None:
    assert host(EPYC.replace("9R14", "7R13"), 2, "1") != host(EPYC, 2, "1")
    assert host(GRAVITON.replace("0xd40", "0xd4f"), 2, "1") != host(GRAVITON, 2, "1")


def test_the_name_of_the_host_counts_for_what_is_about_it(monkeypatch: pytest.MonkeyPatch) -> None:
    here = {counts: machine(counts) for counts in Machine}
    monkeypatch.setattr(platform, "node", lambda: "another-host")
    changed = {counts for counts in Machine if machine(counts) != here[counts]}
    assert changed == {Machine.HOST}
    assert here[Machine.NOTHING] == []
    assert here[Machine.PROCESSOR][0] == platform.machine()
