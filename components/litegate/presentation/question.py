"""What a person is asked who is to accept a version: the results, and where to look."""

from __future__ import annotations

from collections.abc import Mapping

from litegate.presentation.markdown import plain
from litegate.presentation.results_note import results
from litegate.records import Promotion, RegisteredAlias, RunResult

__all__ = ["question"]


def question(
    channel: RegisteredAlias, result: RunResult, promotion: Promotion, pages: Mapping[str, str]
) -> tuple[str, str]:
    """The question on one line, and the Markdown that helps to answer it.

    Args:
        pages: addresses by what they show.
    """
    selected, champion = promotion.selected, promotion.champion
    subject = f"May {channel.registry} version {selected.version} ({selected.variant}) become {channel.alias}?"
    today = "Nothing is promoted yet."
    if champion is not None:
        today = f"Today it is version {champion.version} ({plain(champion.variant)})."
    links = " · ".join(f"[{plain(name)}]({address})" for name, address in pages.items())
    return subject, "\n\n".join((today, results(result.baseline, result.variants), links))
