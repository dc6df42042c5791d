from __future__ import annotations

import json

import pytest

from litegate.cli.main import main

ASKED = ("plan", "--max-drop", "0.01", "--flips", "0.02")


def test_the_samples_that_a_limit_needs_are_said_with_what_is_assumed(capsys):
    assert main([*ASKED]) == 0

    said = capsys.readouterr().out
    assert "1 % of the samples newly wrong and 1 % newly right passes max_drop 0.01" in said
    assert "on about 1,450 samples (confidence 95 %)." in said


def test_what_a_number_of_samples_can_decide_is_said_too(capsys):
    assert main([*ASKED, "--samples", "797", "--variants", "4", "--drop", "0.002"]) == 0

    said = capsys.readouterr().out
    assert "1.1 % of the samples newly wrong and 0.9 % newly right" in said
    assert "judged beside 3 others" in said
    assert "On 797 samples the probability is " in said


def test_the_json_has_the_numbers_as_they_are(capsys):
    assert main([*ASKED, "--samples", "1450", "--json"]) == 0

    found = json.loads(capsys.readouterr().out)
    assert found["samples_needed"] == 1450
    assert found["power_with_samples"] == pytest.approx(0.8, abs=0.005)
    assert found["max_drop_with_samples"] == pytest.approx(0.01, abs=0.0001)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--max-drop", "1"), "--max-drop: expected a share above 0 and below 1, such as 0.01 for one point, got 1"),
        (("--flips", "2"), "--flips: expected a share of the samples from 0 to 1, such as 0.02, got 2"),
        (("--drop", "0.015"), "--drop: expected less than --max-drop and at most --flips, 0.02, got 0.015"),
        (("--confidence", "95"), "--confidence: expected more than 0.5 and less than 1, got 95"),
        (("--power", "nan"), "--power: expected a probability above 0 and below 1, got nan"),
    ],
)
def test_a_value_out_of_range_is_the_users_mistake(options, said, capsys):
    assert main([*ASKED, *options]) == 2

    assert said in capsys.readouterr().err


def test_a_number_of_samples_is_a_whole_one(capsys):
    with pytest.raises(SystemExit) as ended:
        main([*ASKED, "--samples", "0"])
    assert ended.value.code == 2
    assert "expected a number from 1 on, got '0'" in capsys.readouterr().err
