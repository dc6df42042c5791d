"""How a task fails: what went wrong is left for the gate, and Airflow is told whether to try again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from airflow.sdk.exceptions import AirflowException, AirflowFailException, AirflowSkipException

from litegate.errors import BadInput, GateRejected, StepFailed
from litegate.failures import RETRIED, kind_of
from litegate.records import Failure
from litegate_airflow.runtime.xcom import FAILURE, push

if TYPE_CHECKING:
    from airflow.sdk.types import RuntimeTaskInstanceProtocol

__all__ = ["failures_reported"]

_AIRFLOWS = ("airflow.", "httpx", "httpcore")
"""Where exceptions are from that a task meets when Airflow's own API server does not answer."""


@contextmanager
def failures_reported(ti: RuntimeTaskInstanceProtocol, step: str, variant: str | None = None) -> Iterator[None]:
    """Push any error as a `Failure` under the key `failure`, and raise it as Airflow is to treat it.

    Raises:
        AirflowFailException: the same inputs would fail again, so the task is not retried.
        AirflowException: a server did not answer, or the task was ended; it is retried if its DAG allows.
    """

    def report(kind: str, message: str) -> None:
        push(ti, FAILURE, Failure(step=step, kind=kind, message=message, variant=variant))

    try:
        yield
    except AirflowSkipException:
        raise
    except GateRejected as error:
        report("rejected", str(error))
        raise AirflowFailException(str(error)) from error
    except BadInput as error:
        report("bad_input", str(error))
        raise AirflowFailException(str(error)) from error
    except StepFailed as error:
        report(error.kind, error.detail)
        raise (AirflowException if error.kind in RETRIED else AirflowFailException)(str(error)) from error
    except Exception as error:
        kind = "infrastructure" if type(error).__module__.startswith(_AIRFLOWS) else kind_of(error)
        message = f"{type(error).__name__}: {error}"
        report(kind, message)
        if kind in RETRIED:
            raise
        raise AirflowFailException(message) from error  # a defect, or bytes that are others: it would be so again
