"""The whole product as a user has it: the command line, the real servers, a home of the tests' own."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
import pytest
import yaml
from playwright.sync_api import Browser, BrowserContext, Page

from tests.e2e import browser as browsers
from tests.e2e.collector import Collector, collecting
from tests.models.once import Maker

LITEGATE = Path(sys.executable).parent / "litegate"
MAKER = Path(__file__).parent.parent / "models" / "make_models.py"
PAGES = pytest.StashKey[Callable[[], list[str]]]()


@dataclass(frozen=True)
class Ended:
    """How a command ended; `result` is the JSON that it wrote, if any."""

    code: int
    output: str
    result: Any


@dataclass(frozen=True)
class LiteGate:
    """The `litegate` command with a home of its own.

    Attributes:
        observed: variables that say where metrics and traces go.
    """

    home: Path
    observed: Mapping[str, str] = field(default_factory=dict)

    def __call__(self, *arguments: str | Path, result: Path | None = None) -> Ended:
        command = [str(LITEGATE), *map(str, arguments), "--home", str(self.home)]
        if result is not None:
            command += ["--json", str(result)]
        done = subprocess.run(command, env=self._clean(), capture_output=True, text=True, check=False, timeout=1500)
        written = json.loads(result.read_text()) if result is not None and result.exists() else None
        return Ended(done.returncode, done.stdout + done.stderr, written)

    def on_terminal(self, columns: int, *arguments: str) -> str:
        """What a command prints on a terminal so wide, with its colours."""
        command = [str(LITEGATE), *arguments, "--home", str(self.home)]
        environment = self._clean() | {"COLUMNS": str(columns), "TERM": "xterm-256color"}
        leader, follower = pty.openpty()
        with subprocess.Popen(command, env=environment, stdout=follower, stderr=subprocess.DEVNULL):
            os.close(follower)
            parts = [b""]
            with suppress(OSError):  # how Linux says that nobody writes any more
                while part := os.read(leader, 65536):
                    parts.append(part)
        os.close(leader)
        return b"".join(parts).decode().replace("\r\n", "\n")

    @contextmanager
    def begun(self, *arguments: str | Path, until: str) -> Iterator[subprocess.Popen[str]]:
        """A command that is under way, and has said something that matches `until`."""
        command = [str(LITEGATE), *map(str, arguments), "--home", str(self.home)]
        said = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
        with subprocess.Popen(command, env=self._clean(), **said) as process:
            try:
                assert any(re.search(until, line) for line in process.stdout or ()), f"it ended without {until!r}"
                yield process
            finally:
                process.kill()

    def run_spec(self, folder: Path, **spec: Any) -> Ended:
        """Write a spec file and run it."""
        return self("run", self.write_spec(folder, **spec), result=folder / "result.json")

    def write_spec(self, folder: Path, **spec: Any) -> Path:
        """A spec file named after its model."""
        path = folder / f"{spec['model']['name']}.yaml"
        path.write_text(yaml.safe_dump(spec))
        return path

    def _clean(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("AIRFLOW", "AWS_"))}
        return kept | self.observed

    def environment(self) -> dict[str, str]:
        """What `litegate env` exports."""
        lines = self("env").output.splitlines()
        pairs = [line.removeprefix("export ").split("=", 1) for line in lines if line.startswith("export ")]
        return {name: value.strip("'\"") for name, value in pairs}


@pytest.fixture(scope="session")
def collector() -> Iterator[Collector]:
    """Takes the metrics and traces of the running servers."""
    with collecting() as found:
        yield found


@pytest.fixture(scope="session")
def litegate(tmp_path_factory: pytest.TempPathFactory, collector: Collector) -> Iterator[LiteGate]:
    """Running servers; the first test that needs them waits for them."""
    command = LiteGate(tmp_path_factory.mktemp("e2e") / "home", collector.environment)
    started = command("start")
    assert started.code == 0, started.output
    yield command
    stopped = command("stop")
    assert stopped.code == 0, stopped.output


@pytest.fixture(scope="session")
def s3(litegate: LiteGate) -> Iterator[Any]:
    """A client of the embedded S3 server."""
    variables = litegate.environment()
    client = boto3.client(
        "s3",
        endpoint_url=variables["AWS_ENDPOINT_URL_S3"],
        aws_access_key_id=variables["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=variables["AWS_SECRET_ACCESS_KEY"],
        region_name=variables["AWS_DEFAULT_REGION"],
    )
    yield client
    client.close()


@pytest.fixture(scope="session")
def models(maker: Maker, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder with the small models and datasets that `make_models.py` writes."""
    return maker.make(tmp_path_factory.mktemp("models"), str(MAKER), "{folder}", sources=(MAKER,))


@pytest.fixture
def predict(litegate: LiteGate) -> Callable[[str, Path], str]:
    """Loads a registered model in a fresh process that can import neither TensorFlow nor litegate."""

    def run(uri: str, features: Path) -> str:
        code = (
            "import sys; sys.modules['tensorflow'] = sys.modules['litegate'] = None\n"
            "import mlflow, numpy\n"
            "model = mlflow.pyfunc.load_model(sys.argv[1])\n"
            "with numpy.load(sys.argv[2]) as arrays: image = arrays['image']\n"
            "(scores,) = model.predict({'image': image}).values()\n"
            "print(scores.shape, scores.dtype, sys.modules['tensorflow'])"
        )
        environment = os.environ | {"MLFLOW_TRACKING_URI": litegate.environment()["MLFLOW_TRACKING_URI"]}
        done = subprocess.run(
            [sys.executable, "-c", code, uri, features], env=environment, capture_output=True, text=True, check=False
        )
        return done.stdout + done.stderr[-2000:]

    return run


@pytest.fixture(scope="session")
def demo(litegate: LiteGate, tmp_path_factory: pytest.TempPathFactory) -> Ended:
    """The example, trained, quantized and promoted from nothing; once, for it takes minutes."""
    return litegate("demo", result=tmp_path_factory.mktemp("demo") / "demo.json")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A browser; not for the whole session, for its event loop would be in the way of other tests."""
    with browsers.launched() as browser:
        yield browser


@pytest.fixture(scope="module")
def profile(browser: Browser) -> Iterator[BrowserContext]:
    """A browser profile of the module's own: the scripts of Airflow and MLflow, many megabytes, are loaded once."""
    context = browsers.new_context(browser)
    yield context
    context.close()


@pytest.fixture
def page(profile: BrowserContext, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Page]:
    """An empty page; of earlier tests the browser knows who is logged in, no more. Failed tests have pages saved."""
    request.node.stash[PAGES] = lambda: browsers.show_pages(profile, tmp_path)
    yield profile.new_page()
    browsers.close_pages(profile)


@pytest.fixture(scope="module")
def airflow(litegate: LiteGate, profile: BrowserContext) -> str:
    """Airflow's address; the browser is logged in."""
    status = json.loads(litegate("status", "--json").output)
    browsers.sign_in(profile.new_page(), status["airflow"], Path(status["password_file"]).read_text())
    browsers.close_pages(profile)
    return str(status["airflow"])


def pytest_exception_interact(node: pytest.Item, report: pytest.TestReport) -> None:
    """Say with a test that failed in the browser where its pages can be seen."""
    if save := node.stash.get(PAGES, None):
        report.sections.append(("pages in the browser", "\n".join(save())))
