from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import litegate
from litegate.cli.commands import COMMANDS
from litegate.cli.main import main, parser

main_module = sys.modules["litegate.cli.main"]

GOOD = """
model: {name: tiny, uri: model.keras}
calibration: {uri: data.npz, format: npz}
evaluation: {uri: data.npz, format: npz}
"""


def run(folder: Path, text: str) -> tuple[int, dict[str, object]]:
    (folder / "spec.yaml").write_text(text)
    code = main(["run", str(folder / "spec.yaml"), "--json", str(folder / "out.json")])
    return code, json.loads((folder / "out.json").read_text())


def test_a_bad_spec_ends_with_2_one_line_and_the_json(tmp_path, capsys):
    code, found = run(tmp_path, GOOD + "gates: {}\n")
    error = capsys.readouterr().err

    assert code == 2
    assert error.startswith("error: ")
    assert error.count("\n") == 1
    assert "unknown key 'gates'" in error
    assert found == {
        "model": None,
        "state": "failed",
        "outcome": "failed",
        "run": None,
        "dag": None,
        "page": None,
        "why": None,
        "champion": None,
        "selected": None,
        "baseline": None,
        "variants": [],
        "warnings": [],
        "required": [],
        "exit_code": 2,
        "report": None,
        "error": error.removeprefix("error: ").strip(),
        "deprecated": {"outcome": "state"},
    }


@pytest.mark.parametrize(("present", "key"), [((), "model.uri"), (("model.keras",), "calibration.uri")])
def test_a_path_that_does_not_exist_ends_with_2_and_names_its_key(present, key, tmp_path, capsys):
    for name in present:
        (tmp_path / name).touch()
    code, found = run(tmp_path, GOOD)

    assert (code, found["model"]) == (2, "tiny")
    assert capsys.readouterr().err.startswith(f"error: {key}: expected an existing file or folder")


def test_old_names_of_commands_are_not_listed():
    listed = parser().format_help()
    assert "freeze" in listed
    assert [command.name for command in COMMANDS if command.use and f"\n    {command.name} " in listed] == []


def test_bad_input_starts_nothing(tmp_path):
    run(tmp_path, GOOD)

    assert not (tmp_path / "home").exists()


def test_a_spec_file_that_is_not_there_ends_with_2(tmp_path, capsys):
    assert main(["run", str(tmp_path / "none.yaml")]) == 2
    assert "none.yaml" in capsys.readouterr().err


def test_stop_and_status_work_where_nothing_runs(tmp_path, capsys):
    assert main(["stop"]) == 0
    assert capsys.readouterr().out == f"nothing runs in {tmp_path / 'home'}\n"
    assert main(["stop", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"stopped": False}
    assert main(["status", "--json"]) == 1
    assert json.loads(capsys.readouterr().out) == {"state": "stopped", "home": str(tmp_path / "home")}


def test_the_version_is_that_of_the_package(capsys):
    with pytest.raises(SystemExit, match="0"):
        main(["--version"])
    assert capsys.readouterr().out == f"litegate {litegate.__version__}\n"


@pytest.mark.parametrize(
    "command",
    [
        *(["status"], ["start"], ["stop"], ["env"], ["doctor"], ["follow"], ["clean"], ["warm"], ["demo"]),
        *(["history", "m"], ["rollback", "m"], ["run", "s.yaml"], ["compare", "s.yaml"], ["init", "m.keras", "d.npz"]),
    ],
    ids=lambda command: command[0],
)
def test_a_home_that_is_a_file_is_said(command, tmp_path, capsys):
    (tmp_path / "file").touch()
    assert main([*command, "--home", str(tmp_path / "file" / "home")]) == 2
    error = capsys.readouterr().err
    assert error == (
        f"error: --home (or LITEGATE_HOME): expected a folder, or a place for one, got the file {tmp_path / 'file'}\n"
    )


@pytest.mark.parametrize("command", ["start", "run"])
def test_a_home_that_cannot_be_written_is_said_once(command, tmp_path, capsys):
    spec = tmp_path / "spec.yaml"
    spec.write_text(GOOD)
    for name in ("model.keras", "data.npz"):
        (tmp_path / name).touch()
    arguments = [command] + [str(spec)] * (command == "run")
    assert main([*arguments, "--home", "/proc/none"]) == 2
    errors = [line for line in capsys.readouterr().err.splitlines() if line.startswith("error")]
    assert len(errors) == 1
    assert errors[0].startswith(
        "error: --home (or LITEGATE_HOME): expected a folder that can be written, got /proc/none: "
    )


def test_whoever_reads_a_line_and_goes_gets_no_traceback():
    command = [sys.executable, "-c", "from litegate.cli.main import main; raise SystemExit(main(['schema']))"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.stdout.close()  # before anything is written
        said = process.stderr.read()
    assert (process.returncode, said) == (0, b"")


def test_env_says_that_nothing_runs(capsys):
    assert main(["env"]) == 1
    assert "litegate start" in capsys.readouterr().err


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_every_command_explains_itself(command, capsys):
    with pytest.raises(SystemExit, match="0"):
        parser().parse_args([command.name, "--help"])
    said = " ".join(capsys.readouterr().out.split())
    assert command.summary in said
    assert "--home" in said
    assert "--json" in said


def test_help_loads_nothing_slow():
    code = """
import sys
from litegate.cli.main import parser
parser()
print(sorted({"argcomplete", "pydantic", "rich", "httpx", "numpy", "litegate.stack"} & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_a_run_is_begun_before_what_can_come_of_it_is_loaded():
    code = """
import sys
import litegate.cli.pipeline
print(sorted({"numpy", "litegate.gate", "litegate.records", "litegate.steps"} & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_a_signal_interrupts_even_where_the_shell_has_it_ignored():
    code = """
import signal, sys, time
signal.signal(signal.SIGINT, signal.SIG_IGN)
from litegate.cli import main as _, pipeline
from litegate.cli.main import main
def wait(*_):
    print("ready", flush=True)
    time.sleep(60)
pipeline.demo = wait
sys.exit(main(["demo"]))
"""
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    with process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGINT)
        assert process.wait(10) == 130


def test_a_second_signal_cuts_the_cleaning_up_short():
    code = """
import sys, time
from litegate.cli import main as _, pipeline
from litegate.cli.attempt import Attempt, reported
main = sys.modules["litegate.cli.main"]
main._ONE_SIGNAL = 0
def clean_up(home, target, ports):
    def work():
        try:
            print("ready", flush=True)
            time.sleep(60)
        finally:
            print("cleaning up", flush=True)
            time.sleep(60)
    return reported(work, Attempt(home), target)
pipeline.demo = clean_up
sys.exit(main.main(["demo", "--json"]))
"""
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    with process:
        assert process.stdout is not None
        assert process.stderr is not None
        for line in ("ready\n", "cleaning up\n"):
            assert process.stderr.readline() == line
            process.send_signal(signal.SIGTERM)
        found = json.loads(process.stdout.read())
        assert process.wait(30) == 130
    assert (found["outcome"], found["error"]) == ("failed", "interrupted")


def test_a_signal_that_is_sent_to_the_process_and_to_its_group_is_one(monkeypatch):
    """As `timeout` does it."""
    moments = iter([10.0, 10.1, 11.0])
    monkeypatch.setattr(main_module.time, "monotonic", lambda: next(moments))
    interrupt = main_module._Interrupt()

    with pytest.raises(KeyboardInterrupt):
        interrupt()
    interrupt()
    with pytest.raises(KeyboardInterrupt):
        interrupt()


def test_a_clean_up_of_a_stopped_home_says_what_to_start(monkeypatch, capsys):
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    assert main(["clean"]) == 1
    assert "start them with `litegate start`, or set MLFLOW_TRACKING_URI" in capsys.readouterr().err


def test_a_clean_up_leaves_at_least_two_days(capsys):
    assert main(["clean", "--older-than", "1"]) == 2
    assert "--older-than: expected 2 days or more, got 1" in capsys.readouterr().err


def test_json_without_a_name_is_all_of_standard_output(tmp_path, capsys):
    (tmp_path / "spec.yaml").write_text(GOOD + "gates: {}\n")
    assert main(["run", str(tmp_path / "spec.yaml"), "--json"]) == 2
    said = capsys.readouterr()
    assert "unknown key" in json.loads(said.out)["error"]
    assert said.err.startswith("error: ")


def test_an_error_takes_the_place_of_an_older_result(tmp_path, capsys):
    out = tmp_path / "out.json"
    out.write_text('{"state": "healthy"}')
    assert main(["env", "--json", str(out)]) == 1
    found = json.loads(out.read_text())
    assert found["exit_code"] == 1
    assert "litegate start" in found["error"]
    assert capsys.readouterr().out == ""


def test_json_goes_to_a_file_as_well(tmp_path, capsys):
    assert main(["status", "--json", str(tmp_path / "out.json")]) == 1
    assert json.loads((tmp_path / "out.json").read_text())["state"] == "stopped"
    assert capsys.readouterr().out == f"No servers run in {tmp_path / 'home'}; `litegate start` starts them.\n"


def test_json_is_never_written_to_a_folder(tmp_path, capsys):
    with pytest.raises(SystemExit, match="2"):
        main(["status", "--json", str(tmp_path)])
    assert f"--json: expected a file, got the folder {tmp_path}" in capsys.readouterr().err


def test_the_schema_is_json_and_the_reference_page_markdown(capsys):
    assert main(["schema"]) == 0
    assert json.loads(capsys.readouterr().out)["required"] == ["model", "calibration", "evaluation"]
    assert main(["schema", "--markdown"]) == 0
    assert "| `gate.max_drop` | number >= 0 | `0.01` |" in capsys.readouterr().out
