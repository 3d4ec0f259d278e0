"""The ledger in MLflow: entries are parameters of one run, which a server writes once and never again.

Where two write the next entry at once, the server keeps the first and refuses the other, who reads again and
decides anew. So nobody decides on less than what stands before his own entry, without any lock. Each entry
holds the digest of the one before, and the experiment knows how many there are.
"""

from __future__ import annotations

import hashlib
import json
import random
import re
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from ..errors import ConfigurationError, EvaluationError, UnavailableError
from ..mlflow_calls import DOWNLOAD_LIMITS, RESOLVE_LIMITS, calling, connected, is_missing, server_of
from ..redact import redact
from ..spec import SourceContext
from .ledger import Entry, parse, render
from .ledger_store import Decide

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Experiment, Run

T = TypeVar("T")

#: Name of the experiment, where nobody says another.
EXPERIMENT = "model-gate-ledger"
#: Tag of the experiment: the run that is the ledger.
_RUN = "model_gate.ledger"
#: Tag of the experiment: so many entries it has had at least. Of two writers the slower may say less.
_COUNT = "model_gate.ledger.entries"
#: Characters that a server has to keep of a parameter: MLflow keeps 6,000.
_LONGEST = 5_000
_FORMAT = ("format", "model-gate ledger 1 ".ljust(_LONGEST, "."))
_ENTRY = re.compile(r"entry\.(\d{6,})")
_NOTHING = "0" * 64
#: How often somebody else may be faster. Of all who try at once one always succeeds.
_ATTEMPTS = 200
#: Seconds until a new ledger is looked at again: whether somebody else made one in the same moment.
SETTLE = 2.0

_FREE = "uses that were counted would be free again"


class MlflowLedger:
    """A ledger in an experiment of MLflow.

    Parameters
    ----------
    context : SourceContext
        Says where the server is, as for models.
    experiment : str
        Its name.
    file : Path or None
        The ledger's file of the project: what it says must be in the experiment, too.
    """

    def __init__(
        self, context: SourceContext, experiment: str = EXPERIMENT, *, file: Path | None = None
    ) -> None:
        self._context = context
        self._experiment = experiment
        self._file = file

    @property
    def name(self) -> str:
        """What people write to mean it."""
        return f"mlflow:{self._experiment}"

    def read(self) -> tuple[list[Entry], bool]:
        """Return everything that it says; whether more can be appended is told by trying.

        Raises
        ------
        ModelGateError
            If there is no such ledger, it lost entries, or the server does not answer.
        """
        with connected(self._context, self.name, RESOLVE_LIMITS, registry=False) as client:
            run = self._open(client)
        entries = self._entries(run)
        self._has(self.of_file(), entries)
        return entries, True

    def change(self, decide: Decide[T]) -> T:
        """Append what follows from everything that it says; when this returns, the server has it.

        Raises
        ------
        ModelGateError
            If it cannot be read or written: then what was asked may or may not be there, and counts if it is.
        """
        for _ in range(_ATTEMPTS):
            with connected(self._context, self.name, registry=False) as client:
                run = self._open(client)
            found, more = decide(self._entries(run))
            with connected(self._context, self.name, registry=False) as client:
                if self._append(client, run, more):
                    return found
            time.sleep(random.uniform(0, 0.05))  # so that two do not keep the same step
        raise UnavailableError(
            f"Others write to the ledger {self.name} all the time.",
            "Run the gate again when other runs have ended.",
        )

    def create(self, *, settle: float = SETTLE) -> bool:
        """Make the ledger where there is none; return whether there was none.

        Raises
        ------
        ModelGateError
            If there was one that is not there any more, or the server does not do it.
        """
        with connected(self._context, self.name, RESOLVE_LIMITS, registry=False) as client:
            experiment = client.get_experiment_by_name(self._experiment)
        with connected(self._context, self.name, registry=False) as client:
            if experiment is None:
                experiment = self._made(client)
            self._not_deleted(experiment)
            if _RUN in experiment.tags:
                self._entries(self._open(client))
                return False
            run = client.create_run(experiment.experiment_id, run_name="holdout ledger")
            run_id = str(run.info.run_id)
            client.log_param(run_id, *_FORMAT)
            client.set_terminated(run_id)
            if client.get_run(run_id).data.params.get(_FORMAT[0]) != _FORMAT[1]:
                raise UnavailableError(
                    f"The MLflow server {self.where} keeps less than {_LONGEST:,} characters of a "
                    "parameter: entries of a ledger would be cut off.",
                    "Use MLflow 2.10 or later, or keep the ledger in the file.",
                )
            if self._named(client, experiment.experiment_id, run_id, settle):
                return True
            client.delete_run(run_id)  # somebody made one in the same moment, and this one is empty
            return False

    def _named(self, client: MlflowClient, number: str, run_id: str, settle: float) -> bool:
        """Have the experiment say that this run is the ledger; return whether nobody else did."""
        if _RUN in client.get_experiment(number).tags:
            return False
        try:
            client.set_experiment_tag(number, _COUNT, "0")
            client.set_experiment_tag(number, _RUN, run_id)
        except Exception:
            # A server may refuse the second of two that are new in the same moment.
            time.sleep(settle)
            if client.get_experiment(number).tags.get(_RUN) in (None, run_id):
                raise
            return False
        time.sleep(settle)
        return bool(client.get_experiment(number).tags.get(_RUN) == run_id)

    def _made(self, client: MlflowClient) -> Experiment:
        """Make the experiment, or take the one that somebody made in the same moment."""
        try:
            return client.get_experiment(client.create_experiment(self._experiment))
        except Exception:
            experiment = client.get_experiment_by_name(self._experiment)
            if experiment is None:
                raise
            return experiment

    def of_file(self) -> list[Entry]:
        """Return what the ledger's file of the project says; nothing where there is none."""
        if self._file is None or not self._file.is_file():
            return []
        return parse(self._file.read_bytes(), self._file.name)

    @property
    def where(self) -> str:
        """Its server, without secrets."""
        with calling(DOWNLOAD_LIMITS):
            return redact(server_of(self._context).tracking)

    def _not_deleted(self, experiment: Experiment) -> None:
        if experiment.lifecycle_stage != "active":
            raise ConfigurationError(
                f"The experiment of the ledger {self.name} was deleted: {_FREE}.",
                f"Bring it back: mlflow experiments restore --experiment-id {experiment.experiment_id}.",
            )

    def _open(self, client: MlflowClient) -> Run:
        """Return the run that is the ledger."""
        experiment = client.get_experiment_by_name(self._experiment)
        run_id = None if experiment is None else experiment.tags.get(_RUN)
        if experiment is not None:
            self._not_deleted(experiment)
        if experiment is None or not run_id:
            raise ConfigurationError(
                f"There is no ledger {self.name} on {self.where}, and one that is not found is not an "
                "empty one.",
                f"If there never was one, run: model-gate ledger --move-to {self.name}. "
                "Else correct the gate's keys ledger and tracking_uri.",
            )
        try:
            run = client.get_run(run_id)
        except Exception as error:
            if not is_missing(error):
                raise
            raise ConfigurationError(
                f"The run {run_id} of the ledger {self.name} is gone for good: {_FREE}.",
                "Bring the server's database back from its backup, or begin with a fresh holdout and another "
                "experiment.",
            ) from None
        if run.info.lifecycle_stage != "active":
            raise ConfigurationError(
                f"The run of the ledger {self.name} was deleted: {_FREE}.",
                f"Bring it back: mlflow runs restore --run-id {run_id}.",
            )
        self._complete(run.data.params, int(experiment.tags.get(_COUNT, 0)))
        return run

    def _complete(self, values: Mapping[str, str], least: int) -> None:
        """Refuse a run whose entries are not all there, or not what was written."""
        count = len(_numbers(values))
        lacks = [number for number in range(1, max(count, least) + 1) if _key(number) not in values]
        if lacks or values.get(_FORMAT[0]) != _FORMAT[1]:
            what = f"entry {lacks[0]} of at least {max(count, least)}" if lacks else "its beginning"
            raise ConfigurationError(
                f"The ledger {self.name} lacks {what}: {_FREE}.",
                "Bring the server's database back from its backup.",
            )
        before = _NOTHING
        for number in range(1, count + 1):
            value = values[_key(number)]
            if not value.startswith(f"{before} "):
                raise ConfigurationError(
                    f"Entry {max(1, number - 1)} of the ledger {self.name} is not what was written.",
                    "Bring the server's database back from its backup.",
                )
            before = _sha256(value)

    def _entries(self, run: Run) -> list[Entry]:
        values = run.data.params
        lines = [self._line(values, number) for number in range(1, len(_numbers(values)) + 1)]
        return parse("\n".join(lines).encode(), self.name)

    def _line(self, values: Mapping[str, str], number: int) -> str:
        """Return an entry as the file has it: from pieces, where one parameter is too short."""
        text = values[_key(number)].partition(" ")[2]
        if not text.startswith("+"):
            return text
        count, digest = text[1:].split(" ")
        whole = "".join(values.get(name, "") for name in _pieces(digest, int(count)))
        if _sha256(whole) != digest:
            raise ConfigurationError(
                f"Entry {number} of the ledger {self.name} is not what was written.",
                "Bring the server's database back from its backup.",
            )
        return whole

    def _append(self, client: MlflowClient, run: Run, more: Sequence[Entry]) -> bool:
        """Write entries behind those that were read; return whether nobody was faster."""
        values = dict(run.data.params)
        number, run_id = len(_numbers(values)), str(run.info.run_id)
        for entry in more:
            before = _sha256(values[_key(number)]) if number else _NOTHING
            number += 1
            value = f"{before} {self._short(client, run_id, _ascii(entry))}"
            try:
                client.log_param(run_id, _key(number), value)
            except Exception:
                # Refused because it is there, or the answer got lost: what counts is what is there now.
                kept = client.get_run(run_id).data.params.get(_key(number))
                if kept is None:
                    raise
                if kept != value:
                    return False
            values[_key(number)] = value
        if more:
            kept_values = client.get_run(run_id).data.params
            if any(kept_values.get(name) != value for name, value in values.items()):
                raise EvaluationError(
                    f"The ledger {self.name} did not keep what was written into it.",
                    "Look at the server's log, and run the gate again.",
                )
            client.set_experiment_tag(run.info.experiment_id, _COUNT, str(number))
        return True

    def _short(self, client: MlflowClient, run_id: str, text: str) -> str:
        """Return what stands for a text in one parameter; a long one is written before, in pieces."""
        if len(text) <= _LONGEST - 100:
            return text
        digest = _sha256(text)
        count = -(-len(text) // _LONGEST)
        for place, name in enumerate(_pieces(digest, count)):
            # Named by its content: whoever writes it writes the same.
            client.log_param(run_id, name, text[place * _LONGEST : (place + 1) * _LONGEST])
        return f"+{count} {digest}"

    def _has(self, wanted: Sequence[Entry], entries: Sequence[Entry]) -> None:
        """Refuse to go on while the project's file knows more."""
        lost = len(missing(wanted, entries))
        if lost and self._file is not None:
            raise ConfigurationError(
                f"{self._file.name} has {lost} line{'s' * (lost != 1)} that the ledger {self.name} lacks: "
                f"{_FREE}.",
                f"Run: model-gate ledger --move-to {self.name}",
            )


def missing(wanted: Sequence[Entry], entries: Sequence[Entry]) -> list[Entry]:
    """Return those entries that are not among others."""
    known = {render(entry) for entry in entries}
    return [entry for entry in wanted if render(entry) not in known]


def _numbers(values: Mapping[str, str]) -> list[int]:
    return [int(found[1]) for found in map(_ENTRY.fullmatch, values) if found]


def _key(number: int) -> str:
    return f"entry.{number:06d}"


def _pieces(digest: str, count: int) -> list[str]:
    return [f"piece.{digest}.{place}" for place in range(1, count + 1)]


def _ascii(entry: Entry) -> str:
    """Return the line of an entry in characters that every database keeps."""
    line = render(entry).encode("utf-8", "backslashreplace").decode()
    return json.dumps(json.loads(line), separators=(",", ":"), sort_keys=True)


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
