"""Notifications: which tasks tell whom about what, as the spec says; none of it can fail a run.

A `RunNotifier` is for the tasks of a quantize run, whose spec is known. A `DecisionNotifier` is for any task
that takes a decision about a registered model: it looks for the specs that promote to it when it is called.
Both are Airflow notifiers themselves, so they stand wherever Airflow takes a callback.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from airflow.sdk import BaseNotifier
from typing_extensions import override

from litegate.errors import SpecError
from litegate.presentation.notices import (
    approval_notice,
    notice_of_action,
    notice_of_decision,
    notice_of_promotion,
    notice_of_result,
)
from litegate.records import Acted, Decided, Notice, RegisteredAlias, RunResult
from litegate.spec import Notification, Spec
from litegate_airflow.runtime.connections import connected_as
from litegate_airflow.runtime.requalification_records import CONCLUSION, RequalificationRecords
from litegate_airflow.runtime.run_records import RunRecords
from litegate_airflow.runtime.spec_files import read_spec_files
from litegate_airflow.runtime.xcom import RETURN_VALUE
from litegate_airflow.ui.pages import answer_page, mlflow_page, run_url

if TYPE_CHECKING:
    from airflow.sdk import Context
    from airflow.sdk.types import RuntimeTaskInstanceProtocol

__all__ = [
    "DecisionNotifier",
    "RunNotifier",
    "asked",
    "check_notifiers",
    "concluded",
    "decided",
    "judged",
    "promoted",
    "tell",
]

log = logging.getLogger("litegate")


class RunNotifier(BaseNotifier):
    """Tells those whom a spec names of what a task of its run has found.

    Args:
        notice_of: the notice that the task's records come to, if they are news.
    """

    def __init__(self, spec: Spec, notice_of: Callable[[RunRecords], Notice | None]) -> None:
        super().__init__()
        self.spec, self.notice_of = spec, notice_of

    @override
    def notify(self, context: Context) -> None:
        """Tell, if there is something to tell; a failure is only logged."""
        with _failures_logged("the run"), connected_as(context["ti"].task):
            notice = self.notice_of(RunRecords(context["ti"]))
            if notice is not None:
                tell(self.spec.notify, notice, context)


class DecisionNotifier(BaseNotifier):
    """Tells of the `Decided` that a task returned, as every spec says that promotes to that registered model.

    Args:
        folder: the spec files beside the DAGs; those of `LITEGATE_SPEC_FOLDERS` are read too.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.folder = folder

    @override
    def notify(self, context: Context) -> None:
        """Tell, if there is something to tell; a failure is only logged."""
        ti = context["ti"]
        with _failures_logged("the decision"):
            found = ti.xcom_pull(task_ids=ti.task_id, key=RETURN_VALUE, map_indexes=-1)
            result = Decided.model_validate(found)
            for spec in _specs_of(result.entry.decision.channel, self.folder):
                notice = notice_of_decision(spec.model.name, result)
                if notice is not None:
                    tell(spec.notify, notice.model_copy(update={"links": {"airflow": run_url(ti)}}), context)


def judged(records: RunRecords) -> Notice | None:
    """After `register`: nothing passed the gate."""
    result = records.run_result()
    return _linked(notice_of_result(result), **_pages(records.ti, result))


def promoted(records: RunRecords) -> Notice | None:
    """After `promote`: the champion is another version."""
    result = records.run_result()
    notice = notice_of_promotion(result, records.promotion())
    return _linked(notice, **_pages(records.ti, result))


def asked(records: RunRecords) -> Notice | None:
    """When `approve` begins to wait: a person must answer."""
    ti, result = records.ti, records.run_result()
    notice = approval_notice(result, records.promotion())
    return _linked(notice, **_pages(ti, result), answer=answer_page(ti, ti.task_id))


def decided(records: RunRecords) -> Notice | None:
    """After `decide`, however it ended: what the person said."""
    result, found = records.run_result(), records.decided()
    notice = None if found is None else notice_of_decision(result.model, found)
    return _linked(notice, **_pages(records.ti, result))


def concluded(records: RunRecords) -> Notice | None:
    """After `act` of a requalification, however it ended: somebody must look, or a champion was taken back."""
    found = RequalificationRecords(records.ti)
    said = records.ti.xcom_pull(task_ids=records.ti.task_id, key=CONCLUSION, map_indexes=-1)
    if said is None:  # it failed before it came to one
        return None
    result = found.requalification()
    notice = notice_of_action(found.snapshot().spec.model.name, result, Acted.model_validate(said))
    return _linked(notice, airflow=run_url(records.ti), mlflow=mlflow_page(result))


def tell(notifications: Iterable[Notification], notice: Notice, context: Context) -> None:
    """Call every notifier that wants to hear of the notice's event; one that raises stops no other."""
    for notification in notifications:
        if notice.event in notification.events:
            with _failures_logged(notification.notifier):
                _notifier_of(notification)({**context, "notice": notice})
                log.info("%s: called %s", notice.event, notification.notifier)


def check_notifiers(spec: Spec) -> None:
    """Make every notifier once, so that a wrong one shows before it is needed.

    Raises:
        SpecError: naming the first one that cannot be imported, is no notifier or does not take its arguments.
    """
    for number, notification in enumerate(spec.notify):
        try:
            _notifier_of(notification)
        except SpecError as error:
            raise SpecError(f"notify.{number}.{error.where}", error.expected, error.got) from None


def _notifier_of(notification: Notification) -> BaseNotifier:
    """A new one for each call: rendering its templates changes it."""
    module, _, name = notification.notifier.rpartition(".")
    try:
        found = getattr(import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise SpecError("notifier", "a class that Airflow can import", str(error)) from None
    if not (isinstance(found, type) and issubclass(found, BaseNotifier)):
        raise SpecError("notifier", "a class derived from Airflow's BaseNotifier", notification.notifier)
    try:
        return found(**notification.arguments)
    except Exception as error:
        problem = f"{type(error).__name__}: {error}"
        raise SpecError("arguments", f"what {notification.notifier} takes", problem) from None


def _specs_of(channel: RegisteredAlias, folder: Path) -> list[Spec]:
    """The good specs that promote to a registered model under an alias."""
    specs = [item.spec for item in read_spec_files(folder).values() if item.spec is not None]
    return [spec for spec in specs if (spec.registry.name, spec.registry.alias) == (channel.registry, channel.alias)]


def _pages(ti: RuntimeTaskInstanceProtocol, result: RunResult) -> dict[str, str]:
    return {"airflow": run_url(ti), "mlflow": mlflow_page(result), "report": result.report}


def _linked(notice: Notice | None, **pages: str) -> Notice | None:
    return None if notice is None else notice.model_copy(update={"links": pages})


@contextmanager
def _failures_logged(who: str) -> Iterator[None]:
    """Nothing that goes wrong while people are told may change what happened."""
    try:
        yield
    except Exception as error:
        log.warning("%s told nobody: %s: %s", who, type(error).__name__, error)
