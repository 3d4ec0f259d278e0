"""Tell a tracker what a run found, candidate by candidate; what it did not take is said, and lost nowhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pluggy

from ..errors import ModelGateError
from ..redact import redact
from ..results import GateRecord
from ..tracking.entry import entries, unopened
from ..wording import one_line
from .promoting import registry_of
from .registry import open_tracker


@dataclass(frozen=True, slots=True, kw_only=True)
class Logged:
    """What became of the verdicts.

    Parameters
    ----------
    done : tuple of str
        Where they are, in words: one for each candidate.
    failed : tuple of str
        What was not logged, and why.
    again : bool
        Whether logging the same records later could do it: not where a candidate was never opened.
    """

    done: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()
    again: bool = False


def log_verdicts(
    records: Sequence[GateRecord],
    texts: Mapping[str, str],
    *,
    tracker: str,
    registry: pluggy.PluginManager,
    root: str = ".",
) -> Logged:
    """Tell a tracker what a run found.

    Parameters
    ----------
    records : sequence of GateRecord
        Of the run.
    texts : Mapping[str, str]
        Gate -> its report as text.
    tracker : str
        Its name: ``"mlflow"``.
    registry : pluggy.PluginManager
        Trackers.
    root : str
        Directory that a relative store starts from.

    Returns
    -------
    Logged
        What could not be logged is in it, not raised: the verdicts themselves stand.
    """
    done, failed = [], []
    for uri in dict.fromkeys(record.tracking_uri for record in records):
        here = [record for record in records if record.tracking_uri == uri]
        try:
            target = open_tracker(registry, tracker, registry_of(uri, root))
        except ModelGateError as error:
            failed += [f"{entry.candidate}: {error.what} {error.remedy}" for entry in entries(here, texts)]
            continue
        for entry in entries(here, texts):
            try:
                done.append(f"{entry.verdict} -> {target.log(entry)}")
            except ModelGateError as error:
                failed.append(f"{entry.candidate}: {error.what} {error.remedy}")
            except Exception as error:  # noqa: BLE001 - somebody else's tracker may raise anything
                failed.append(f"{entry.candidate}: {redact(one_line(error))}")
    again = bool(failed)
    unknown = dict.fromkeys((record.gate, name) for record in records for name in unopened(record))
    failed += [
        f"gate {gate}: its {redact(name)} could not be opened, so there is no place to log it: "
        "run the gate again when it can"
        for gate, name in unknown
    ]
    return Logged(done=tuple(done), failed=tuple(failed), again=again)
