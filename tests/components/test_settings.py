"""Settings from the environment."""

from __future__ import annotations

import pytest

from litegate.errors import BadInput
from litegate.settings import s3_timeout


@pytest.mark.parametrize(("text", "seconds"), [("", 60.0), ("2.5", 2.5)])
def test_an_s3_server_may_be_silent_for_so_long(text: str, seconds: float, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LITEGATE_S3_TIMEOUT", text)
    assert s3_timeout() == seconds


@pytest.mark.parametrize("text", ["0", "-1", "inf", "nan", "soon"])
def test_what_is_no_time_is_refused(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LITEGATE_S3_TIMEOUT", text)
    with pytest.raises(BadInput, match=f"LITEGATE_S3_TIMEOUT: expected a positive number of seconds, got '{text}'"):
        s3_timeout()
