"""Whether what a run found lets an alias of the registry move, and to which version."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ..errors import ConfigurationError, EvaluationError, InvalidError
from ..results import GateRecord, RoleRecord, Verdict
from ..wording import some

_VERSION = re.compile(r"models:/(?P<name>[^/@]+)/(?P<version>\d+)")
_LOGGED = re.compile(r"models:/(?P<id>m-[0-9a-f]{32})")
_WANDB = re.compile(r"(?:predictions:)?wandb(?:-offline)?:")
_ONE_MODEL = "Promote one model at a time: keep its gates in a folder with a pyproject.toml of its own."
_ALIAS = re.compile(r"models:/(?P<name>[^/@]+)@(?P<alias>[^/@]+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Promotion:
    """An alias that may move, and what was judged for it.

    Parameters
    ----------
    model, version, alias : str
        Which alias of which model is to point to which version.
    expected : str
        The version that the alias meant when the candidate was judged against it. Empty: none, a first
        release.
    digest : str
        Of the candidate's content.
    gates : tuple of str
        Those that passed.
    datasets : tuple of (str, str)
        Source and digest of what they judged on.
    policies : tuple of (str, str)
        Gate and digest of what it asked.
    tracking_uri : str
        Where the registry is. Empty: what the environment says.
    waived : tuple of str
        Lines that somebody answers for.
    logged : str
        The logged model that the candidate was named by: ``"models:/m-..."``. Empty: it was named otherwise.
    """

    model: str
    version: str
    alias: str
    expected: str
    digest: str
    gates: tuple[str, ...]
    datasets: tuple[tuple[str, str], ...]
    policies: tuple[tuple[str, str], ...]
    tracking_uri: str
    waived: tuple[str, ...]
    logged: str = ""


def promotion(
    records: Sequence[GateRecord],
    alias: str,
    *,
    objections: Sequence[str] = (),
    registered: Callable[[str, str], tuple[str, str]] | None = None,
) -> Promotion:
    """Return the move that the records of a run allow.

    Parameters
    ----------
    records : sequence of GateRecord
        All of the run.
    alias : str
        Which alias is to move.
    objections : sequence of str
        What else speaks against the run as a whole: it was not complete, it only advised.
    registered : callable, optional
        ``registered(id, tracking_uri)`` asks the registry as which version of which model a candidate
        ``models:/m-...`` is registered; it is asked only where everything else lets the alias move.

    Raises
    ------
    InvalidError
        If a gate did not pass, or was judged on data that nobody had agreed to before: nothing may move.
    ConfigurationError
        If the records don't say what is to be moved, or were made against something else than the alias.
    """
    if objections:
        raise InvalidError(f"Nothing is promoted: {objections[0]}.", "Run all gates to their end.")
    if not records:
        raise ConfigurationError(
            "Nothing is promoted: no gate was judged.", "Mark a test with @pytest.mark.model_gate."
        )
    candidate = _candidate(records)
    found = _VERSION.fullmatch(candidate.resolved)
    held = _WANDB.match(candidate.resolved)
    if held is not None:
        raise ConfigurationError(
            f"Nothing is promoted: {candidate.source} is held by Weights & Biases, where an alias cannot be "
            "moved only if it still means what was compared with.",
            "Let the deployment ask for model_gate/verdict (--gate-log wandb), or promote in MLflow.",
        )
    logged = _LOGGED.fullmatch(candidate.resolved) if registered is not None else None
    if found is None and logged is None:
        raise ConfigurationError(
            f"Nothing is promoted: the candidate {candidate.source} is no registered version of a model.",
            'Judge a version of the registry: candidate = "models:/name@challenger".',
        )
    _passed(records)
    whole = dict.fromkeys(record.gate for record in records if record.asked == "gate")
    parts = [record.gate for record in records if record.gate not in whole]
    if parts:
        raise InvalidError(
            f"Nothing is promoted: of gate {parts[0]} only parts were asked; models ship by whole gates.",
            "Let its test make no assertion of its own, or call model_gate.assert_passes().",
        )
    _agreed(records)
    tracking_uri = _one([record.tracking_uri for record in records], "tracking_uri")
    if found is not None:
        model, version = found["name"], found["version"]
    else:
        assert registered is not None
        assert logged is not None
        model, version = registered(logged["id"], tracking_uri)
    return Promotion(
        model=model,
        version=version,
        alias=alias,
        expected=_expected(records, model, alias),
        digest=candidate.digest,
        gates=tuple(whole),
        datasets=tuple(
            dict.fromkeys((r.dataset.source, r.dataset.digest) for r in records if r.dataset is not None)
        ),
        policies=tuple(dict.fromkeys((record.gate, record.policy) for record in records)),
        tracking_uri=tracking_uri,
        waived=tuple(
            dict.fromkeys(
                f"{line.metric} on {line.slice}: {line.waiver}"
                for record in records
                for line in record.lines
                if line.waiver
            )
        ),
        logged=candidate.resolved if found is None else "",
    )


def _candidate(records: Sequence[GateRecord]) -> RoleRecord:
    missing = [record for record in records if _role(record, "candidate") is None]
    if missing:
        raise InvalidError(
            f"Nothing is promoted: gate {missing[0].gate} has no candidate: {missing[0].reason.rstrip('.')}.",
            "Repair it and run the gates again.",
        )
    found = dict.fromkeys((role.resolved, role.digest) for role in _roles(records, "candidate"))
    if len(found) > 1:
        raise ConfigurationError(
            f"Nothing is promoted: the gates judged {len(found)} candidates: "
            f"{some([resolved for resolved, _ in found])}.",
            _ONE_MODEL,
        )
    return next(iter(_roles(records, "candidate")))


def _passed(records: Sequence[GateRecord]) -> None:
    failing = [record for record in records if record.verdict is not Verdict.PASS]
    if failing:
        first = failing[0]
        raise InvalidError(
            f"Nothing is promoted: gate {first.gate} is {first.verdict.value.upper()}: "
            f"{first.reason.rstrip('.')}.",
            "A candidate ships when every gate that judged it has passed.",
        )


def _agreed(records: Sequence[GateRecord]) -> None:
    """Refuse data that the same run pinned: it was agreed to by nobody."""
    for record in records:
        pin = record.dataset.pin if record.dataset is not None else "missing"
        if pin != "pinned":
            raise InvalidError(
                f"Nothing is promoted: the dataset of gate {record.gate} is {pin}; nobody had agreed to it.",
                "Commit model-gate.lock, and judge without --gate-pin.",
            )


def _expected(records: Sequence[GateRecord], model: str, alias: str) -> str:
    """Return the version that the alias meant when the gates compared with it."""
    expected = set()
    for record in records:
        production = _role(record, "production")
        if production is None:
            expected.add("")
            continue
        named, version = _ALIAS.fullmatch(production.source), _VERSION.fullmatch(production.resolved)
        if named is None or version is None or (named["name"], named["alias"]) != (model, alias):
            raise ConfigurationError(
                f"Nothing is promoted: gate {record.gate} compared with {production.source}, and "
                f"models:/{model}@{alias} is what would be replaced.",
                f'Judge against it: production = "models:/{model}@{alias}".',
            )
        expected.add(version["version"])
    if len(expected) > 1:
        raise EvaluationError(
            f"Nothing is promoted: the alias '{alias}' moved while the gates ran: they compared with "
            f"{some(sorted(version or 'no version' for version in expected))}.",
            "Run them again.",
        )
    return expected.pop()


def _one(values: Sequence[str], what: str) -> str:
    found = dict.fromkeys(values)
    if len(found) > 1:
        raise ConfigurationError(
            f"Nothing is promoted: the gates have several values of {what}: {some(found)}.",
            _ONE_MODEL,
        )
    return next(iter(found))


def _role(record: GateRecord, name: str) -> RoleRecord | None:
    return next((role for role in record.roles if role.role == name), None)


def _roles(records: Sequence[GateRecord], name: str) -> list[RoleRecord]:
    return [role for record in records for role in record.roles if role.role == name]
