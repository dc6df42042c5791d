"""Several files in one pass: each comes to what it would alone, and one that fails takes no other along."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from litegate.errors import BadInput, StepFailed
from litegate.evaluation.pool import Pool
from litegate.failures import FailureKind
from litegate.records import FileEvaluation, FileFailure, Stopping, UserCode
from litegate.spec import Gate
from litegate.user_code.source import source_digest
from litegate.work.step_work import SECONDS
from tests.components.evaluation.passes import CONTROLLED, FINE, ON_TARGET, SAMPLES, WORSE, Passes, same


def test_every_file_comes_to_what_it_comes_to_alone(passes: Passes) -> None:
    asked = [passes.request(FINE), passes.request(WORSE, max_samples=100), passes.request("nothing -1 2")]
    together = passes.run(*asked)
    for request, found in zip(asked, together, strict=True):
        (alone,) = passes.run(request)
        assert same(found, alone)
    assert [found.samples for found in together] == [SAMPLES, 100, SAMPLES]
    first = passes.outcomes(together[0].outcomes)
    assert first.index.tolist() == list(range(SAMPLES))
    assert first.score.mean() == pytest.approx(0.9)


@pytest.mark.parametrize("first_samples", [None, 100])
def test_what_ends_early_ends_where_it_would_alone(passes: Passes, first_samples: int | None) -> None:
    def stopping(max_drop: float) -> Stopping:
        return Stopping(policy=Gate(max_drop=max_drop), variants=3, first_samples=first_samples)

    asked = [
        passes.request(FINE, max_samples=300),
        passes.request(WORSE, (FINE,), stopping=stopping(0.3)),
        passes.request("nothing -1 2", (FINE, WORSE), stopping=stopping(0.3), max_samples=400),
        passes.request("nothing -2 0", (FINE,), stopping=stopping(0.001)),
    ]
    together = passes.run(*asked)
    for request, found in zip(asked, together, strict=True):
        (alone,) = passes.run(request)
        assert same(found, alone)
    samples = [found.samples for found in together]
    assert samples[0] == 300
    assert samples[1] < samples[3] == SAMPLES, "one is decided early, another never"


FAULTS = [
    ("SIGSEGV", FailureKind.SEGFAULT, "its process died: SIGSEGV"),
    ("SIGABRT", FailureKind.ABORT, "its process died: SIGABRT"),
    ("SIGKILL", FailureKind.KILLED, "its process died: SIGKILL"),
    ("gives_nan", FailureKind.NOT_FINITE, "it gave NaN or infinity on real samples: its output y for sample 320"),
    ("raises", FailureKind.PYTHON_ERROR, "RuntimeError: it cannot be run"),
    ("is_short_of_memory", FailureKind.OUT_OF_MEMORY, "MemoryError"),
    ("hangs", FailureKind.TIMEOUT, "no answer for 32 samples after 5 s"),
    ("aborts_when_loaded", FailureKind.ABORT, "a process that loaded it died: SIGABRT"),
]


@pytest.mark.parametrize(("does", "kind", "message"), FAULTS, ids=[fault[0] for fault in FAULTS])
def test_a_file_that_fails_takes_no_other_along(
    passes: Passes, monkeypatch: pytest.MonkeyPatch, does: str, kind: FailureKind, message: str
) -> None:
    if does == "hangs":
        monkeypatch.setenv(SECONDS, "30")
    fine, failed, other = passes.run(passes.request(FINE), passes.request(f"{does} 333 0"), passes.request(WORSE))
    assert isinstance(failed, FileFailure)
    assert (failed.kind, message in failed.message) == (kind, True), failed
    monkeypatch.delenv(SECONDS, raising=False)
    for request, found in ((passes.request(FINE), fine), (passes.request(WORSE), other)):
        (alone,) = passes.run(request)
        assert same(found, alone)


ENDS = [
    ("raise ValueError('no use')", BadInput, "ValueError: no use"),
    ("import os; os._exit(3)", StepFailed, r"\(crash\): a process that read the data died: exit code 3"),
]


@pytest.mark.parametrize(("source", "error", "message"), ENDS, ids=["raises", "dies"])
def test_a_process_that_ends_before_it_was_given_anything_is_heard(
    passes: Passes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str, error: type[Exception], message: str
) -> None:
    start = Pool._start  # no other place to hold a process back between its start and its first share

    def started_and_ended(pool: Pool, files: tuple[int, ...]) -> Any:
        started = start(pool, files)
        started.process.join()
        return started

    monkeypatch.setattr(Pool, "_start", started_and_ended)
    (tmp_path / "ends_at_once.py").write_text(source)
    reference, folder = "ends_at_once:any", str(tmp_path)
    code = UserCode(reference=reference, folder=folder, digest=source_digest(reference, folder, "preprocess"))
    with pytest.raises(error, match=message):
        passes.run(passes.request(FINE, preprocess=code))


def test_a_reference_that_fails_fails_those_that_need_it(passes: Passes) -> None:
    stopping = Stopping(policy=Gate(max_drop=0.001), variants=1, first_samples=None)
    needs, other = passes.run(
        passes.request(FINE, ("SIGSEGV 333 0",), stopping=stopping), passes.request(FINE, (WORSE,), stopping=stopping)
    )
    assert isinstance(needs, FileFailure)
    assert needs.message.startswith("baseline: its process died: SIGSEGV")
    assert isinstance(other, FileEvaluation)


def test_the_target_sees_a_part_and_the_host_all(passes: Passes) -> None:
    asked = [passes.request(f"nothing -1 {first} 7", target_samples=90, **ON_TARGET) for first in (0, 1)]
    for found in passes.run(*asked):
        assert (found.samples, found.available, found.host.samples) == (90, 90, SAMPLES)
        assert (found.host.runtime, found.host.title, found.host.beside) == ("faulty", "Faulty", "Elsewhere")
        target, host = passes.outcomes(found.outcomes), passes.outcomes(found.host.outcomes)
        assert host.index.tolist() == list(range(SAMPLES))
        both = host.take(target.index)
        assert (both.fed == target.fed).all()
        other = target.index % 7 == 0
        assert ((both.answer != target.answer) == other).all(), "a digest of each answer tells where they differ"
        assert other.any()


def test_the_part_is_the_same_for_all_files_and_random(passes: Passes) -> None:
    asked = [passes.request(f"nothing -1 {first}", target_samples=90, **ON_TARGET) for first in (0, 1)]
    one, other = (passes.outcomes(found.outcomes).index.tolist() for found in passes.run(*asked))
    assert one == other
    assert one != sorted(one)


def test_without_a_limit_both_see_all(passes: Passes) -> None:
    (found,) = passes.run(passes.request(FINE, **ON_TARGET))
    assert (found.samples, found.host.samples) == (SAMPLES, SAMPLES)


def test_where_the_host_counts_nothing_runs_beside_it(passes: Passes) -> None:
    (found,) = passes.run(passes.request(FINE))
    assert found.host is None
    assert passes.outcomes(found.outcomes).answer is None


@pytest.mark.parametrize("first_samples", [None, 100])
def test_the_host_has_seen_all_before_the_target_ends_early(passes: Passes, first_samples: int | None) -> None:
    stopping = Stopping(policy=Gate(max_drop=0.3), variants=1, first_samples=first_samples)
    (found,) = passes.run(passes.request(WORSE, (FINE,), stopping=stopping, **ON_TARGET))
    assert found.samples < SAMPLES
    (beside,) = found.references
    assert found.host.samples == len(passes.outcomes(beside.host)) == SAMPLES
    assert len(passes.outcomes(beside.outcomes)) == found.samples


def test_a_file_that_the_host_cannot_run_fails_by_name(passes: Passes) -> None:
    broken, fine = passes.run(passes.request("raises 5 0", **ON_TARGET), passes.request(FINE, **ON_TARGET))
    assert broken.message.startswith("it on Faulty: ")
    assert "it cannot be run" in broken.message
    assert fine.samples == SAMPLES


def test_a_control_variate_runs_all_samples_beside_host_and_target(passes: Passes) -> None:
    (found,) = passes.run(passes.request("nothing -1 0 7", **CONTROLLED))
    control = found.control
    assert (control.runtime, control.title, control.refused) == ("nearer", "Nearer", "")
    host, nearer, target = (passes.outcomes(each.outcomes) for each in (found.host, control, found))
    assert len(nearer) == len(host) == SAMPLES
    assert (nearer.fed == host.fed).all()
    assert (nearer.take(target.index).answer == target.answer).all(), "it answers as the target does"
    assert (host.take(target.index).answer != target.answer).any()


def test_float32_has_the_host_and_a_champion_its_own_control_variate(passes: Passes) -> None:
    stopping = Stopping(policy=Gate(max_drop=0.3), variants=1, first_samples=100)
    (found,) = passes.run(passes.request(WORSE, (FINE, "nothing -1 2 5"), stopping=stopping, **CONTROLLED))
    baseline, champion = found.references
    assert baseline.control is None
    assert champion.control is not None
    host, nearer = (passes.outcomes(each) for each in (champion.host, champion.control))
    assert len(host) == len(nearer) == SAMPLES
    assert (host.answer != nearer.answer).sum() == SAMPLES / 5


def test_a_file_that_the_control_variate_cannot_run_has_the_host_and_says_so(
    passes: Passes,
) -> None:
    refused, other = passes.run(passes.request("refused -1 0", **CONTROLLED), passes.request(FINE, **CONTROLLED))
    control = refused.control
    assert (control.runtime, control.title, control.outcomes) == ("faulty", "Faulty", None)
    assert "it knows no such file" in control.refused
    assert other.control.runtime == "nearer"
    assert same(refused, passes.run(passes.request("refused -1 0", **CONTROLLED))[0])


def test_a_control_variate_that_dies_fails_its_file_by_name(passes: Passes) -> None:
    broken, fine = passes.run(passes.request("dies_nearer 5 0", **CONTROLLED), passes.request(FINE, **CONTROLLED))
    assert broken.message.startswith("it on Nearer: its process died: SIGKILL")
    assert fine.control.runtime == "nearer"


def test_a_file_that_the_target_cannot_run_fails_as_itself(passes: Passes) -> None:
    (broken,) = passes.run(passes.request("raises_elsewhere 5 0", **ON_TARGET))
    assert "Faulty" not in broken.message
    assert "it cannot be run" in broken.message
