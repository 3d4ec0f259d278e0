"""Start the count of a holdout anew, with a reason that stays in the ledger."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from ..data.checkout import head_commit
from ..data.ledger import Entry, Reset
from ..data.ledger_store import Ledger
from ..errors import ConfigurationError, did_you_mean
from .reuse import now
from .uses import holdout


def datasets(entries: Iterable[Entry]) -> list[Entry]:
    """Return the latest line of each dataset, the one that was used last at the end."""
    last: dict[str, Entry] = {}
    for entry in sorted(entries, key=lambda entry: entry.date):
        last.pop(entry.dataset, None)
        last[entry.dataset] = entry
    return list(last.values())


def reset(ledger: Ledger, name: str, reason: str, *, root: Path) -> Reset:
    """Write down that the uses of a dataset so far don't count any more.

    Nothing makes the rows fresh again: what is promised holds within each period, not over all of them.

    Parameters
    ----------
    ledger : Ledger
        The one that counts its uses.
    name : str
        The dataset as gates name it (where its content has changed, the last one), or its digest.
    reason : str
        Why.
    root : Path
        The project's folder.

    Returns
    -------
    Reset
        What was written.

    Raises
    ------
    ConfigurationError
        If the ledger knows no such dataset.
    UnavailableError
        If it cannot be written.
    """

    def decide(entries: list[Entry]) -> tuple[Reset, list[Entry]]:
        known = datasets(entries)
        chosen = [entry for entry in known if name in (entry.source, entry.dataset)]
        if not chosen:
            raise ConfigurationError(
                f"{ledger.name} knows no dataset {name!r}.",
                did_you_mean(name, {entry.source for entry in known}) if known else "It is empty.",
            )
        dataset = chosen[-1].dataset
        written = Reset(
            dataset=dataset,
            source=chosen[-1].source,
            period=holdout(entries, dataset).period + 1,
            reason=reason,
            date=now(),
            commit=head_commit(root),
        )
        return written, [written]

    return ledger.change(decide)
