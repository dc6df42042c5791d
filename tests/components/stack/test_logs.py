from __future__ import annotations

from pathlib import Path

from litegate.stack.logs import EARLIER_STARTS, rotate, tail


def test_the_logs_of_the_last_starts_are_kept_and_those_before_are_not(tmp_path: Path) -> None:
    for start in range(EARLIER_STARTS + 3):
        rotate(tmp_path)
        (tmp_path / "mlflow.log").write_text(f"start {start}")
    latest = EARLIER_STARTS + 2

    assert (tmp_path / "mlflow.log").read_text() == f"start {latest}"
    earlier = [tmp_path / str(number) / "mlflow.log" for number in range(1, EARLIER_STARTS + 1)]
    assert [path.read_text() for path in earlier] == [f"start {latest - number}" for number in range(1, 4)]
    assert len(list(tmp_path.iterdir())) == EARLIER_STARTS + 1


def test_a_start_without_earlier_logs_moves_nothing(tmp_path: Path) -> None:
    rotate(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_the_end_of_a_large_log_is_read_alone(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text("".join(f"line {number}\n" for number in range(100_000)))

    assert tail(log, 2) == ("line 99998", "line 99999")
    assert tail(tmp_path / "none") == ()
