"""`litegate compare`: the pipeline up to the verdicts, without any server."""

from __future__ import annotations

import logging
import uuid
from argparse import Namespace
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from typing_extensions import override

from litegate.cli.conclusion import not_counted, reasons
from litegate.cli.dry_run import dry_run
from litegate.cli.init import look_of, use_home
from litegate.cli.output import STDOUT, answer, write_text
from litegate.cli.progress import Progress
from litegate.cli.screen import say, screen
from litegate.cli.table import print_table
from litegate.comparison.comparing import Comparing, without_champion
from litegate.comparison.front_door import address_of, candidate_in, variants_in
from litegate.comparison.tables import junit, markdown
from litegate.errors import SpecError
from litegate.first_spec.looking import name_of
from litegate.gate.outcome import EXIT_CODES
from litegate.pipeline.overriding import given_values
from litegate.records import Comparison
from litegate.settings import Settings, settings
from litegate.spec import Spec, load_spec, parse_spec, with_values
from litegate.stack import Home
from litegate.variants import variant_of

__all__ = ["compare"]

_STYLES = {"success": "green", "found": "dim", "skipped": "dim", "stopped": "dim", "failed": "red"}
_COMMAND_LINE = "the command line"


def compare(home: Home, options: Namespace, warm: Callable[[], Settings]) -> int:
    """Compare the variants of one model; returns the exit code.

    Args:
        warm: waits for the warm parent of the steps, if there is one, and says where it is.

    Raises:
        BadInput: the spec, the model or the data cannot be used.
        StepFailed: a step that every variant needs failed.
    """
    use_home(home)
    spec, base = _spec(options, warm)
    if options.dry_run:
        spec, notes = without_champion(spec)
        notes += () if options.data is None else ("the model was converted, to find out what its spec would be",)
        return dry_run(spec, base, options.json, uuid.uuid4().hex if options.remeasure else "", notes)
    watch = _Watch()
    out = options.out or Path(f"compare-{spec.model.name}")
    comparing = Comparing(spec, base, out, settings(), options.require, watch, options.remeasure, warm)
    with Progress(f"comparing {spec.model.name}") as progress, watch.shown(progress, comparing.local.steps):
        comparison = comparing.run()
    if options.markdown is not None:
        write_text(markdown(comparison), options.markdown)
    if options.junit is not None:
        write_text(junit(comparison), options.junit)
    quiet = STDOUT in (options.markdown, options.junit)
    answer(comparison.to_json(), options.json, lambda: _show(comparison, quiet))
    return EXIT_CODES[comparison.outcome]


def _spec(options: Namespace, warm: Callable[[], Settings]) -> tuple[Spec, Path]:
    """The spec, and the folder that its paths are relative to."""
    _take_baseline(options)
    is_spec = options.source.endswith((".yaml", ".yml"))
    if is_spec == (options.data is not None):
        got = "both a spec and data" if is_spec else f"{options.source} alone"
        raise SpecError(_COMMAND_LINE, "SPEC.yaml, or MODEL and CALIBRATION", got)
    if is_spec:
        return _changed(load_spec(Path(options.source)), options), Path(options.source).resolve().parent
    with Progress(f"looking at {options.source}") as progress:
        name = options.name or name_of(options.source)
        first = look_of(options, "CALIBRATION").first_spec(name, None, replace(settings(), warm=warm().warm))
        for note in first.notes:
            progress.note(f"note: {note}", "yellow")
    return _changed(parse_spec(first.keys, _COMMAND_LINE), options), Path.cwd()


def _take_baseline(options: Namespace) -> None:
    """With --baseline there is no MODEL, so that the data stand in its place."""
    if options.baseline is None:
        return
    if options.evaluation is not None:
        raise SpecError(_COMMAND_LINE, "CALIBRATION and EVALUATION after --baseline", f"{options.evaluation} too")
    options.source, options.data, options.evaluation = options.baseline, options.source, options.data


def _candidate(text: str) -> tuple[str, str]:
    """The name and the address of a file that was given."""
    name, named, uri = text.partition("=")
    if not named:
        uri, name = text, name_of(text)
        name = name if variant_of(name).recipe is None else f"given_{name}"  # a file may be called like a variant
    return name, address_of(uri)


def _changed(spec: Spec, options: Namespace) -> Spec:
    """The spec with what the command line says in place of its own values."""
    values = {"target": options.target, "variants": variants_in(options.variants), "gate.max_drop": options.max_drop}
    if options.candidate:
        given = dict(map(_candidate, options.candidate))
        if len(given) < len(options.candidate):
            raise SpecError("--candidate", "files with names of their own (NAME=FILE)", ", ".join(options.candidate))
        values["candidates"] = [candidate_in(name, uri) for name, uri in given.items()]
        if options.data is not None and options.variants is None:
            values["variants"] = []
    given = {key: value for key, value in values.items() if value is not None}
    changed = with_values(spec, given, _COMMAND_LINE) if given else spec
    return with_values(changed, given_values(changed, options.set, "--set"), "--set") if options.set else changed


class _Watch(logging.Handler):
    """Shows the steps as lines, what runs at the moment as a bar, and the warnings of all of them."""

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self._running: list[str] = []
        self._done = self._steps = 0
        self._progress: Progress | None = None

    @contextmanager
    def shown(self, progress: Progress, steps: int) -> Iterator[None]:
        """Show it with this progress meanwhile."""
        self._progress, self._steps = progress, steps
        log = logging.getLogger("litegate")
        log.addHandler(self)
        log.setLevel(logging.INFO)
        try:
            yield
        finally:
            log.removeHandler(self)

    def __call__(self, step: str, variant: str, state: str) -> None:
        """A step begins or ends."""
        name = f"{variant or 'all'}: {step}"
        if state == "running":
            self._running.append(name)
        else:
            if state != "skipped":
                self._running.remove(name)
            self._done += 1
            self._note(f"{name:<36} {state}", _STYLES[state])
        self._now(", ".join(self._running))

    @override
    def emit(self, record: logging.LogRecord) -> None:
        if record.levelno >= logging.WARNING:
            self._note(record.getMessage(), "yellow")
        else:
            self._now(f"{', '.join(self._running)}: {record.getMessage()}")

    def _note(self, line: str, style: str) -> None:
        if self._progress is not None:
            self._progress.note(line, style)

    def _now(self, text: str) -> None:
        if self._progress is not None:
            self._progress.now(text, self._done, self._steps)


def _show(comparison: Comparison, quiet: bool) -> None:
    """The table, the answer and where everything is; on standard error where a table for others is on the other."""
    console = screen(stderr=quiet)
    chosen = next((row for row in comparison.variants if row.variant == comparison.selected), None)
    print_table(console, comparison, (chosen.variant, chosen.digest) if chosen else None)
    for line in (*reasons(comparison), *_summary(comparison)):
        say(console, line)


def _summary(comparison: Comparison) -> list[str]:
    lines = [
        *(f"warning: {each}" for each in comparison.not_tested),
        *not_counted(comparison.variants, comparison.required),
    ]
    if not comparison.passed:
        lines.append(f"{comparison.outcome}: {comparison.answer}")
    if comparison.selected is not None:
        lines.append(f"ship {comparison.selected}, {comparison.why}: {comparison.file}")
    return [*lines, f"Files:   {comparison.folder}", f"Report:  {comparison.report}"]
