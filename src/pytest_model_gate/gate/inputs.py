"""What a gate looks at, opened once: the dataset with its pin and schema, and the models of the roles."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from copy import copy
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property, partial
from types import MappingProxyType
from typing import NamedTuple, TypeVar

import pluggy

from ..data.lock import Lock, check_pin, lock_path, pin, read_lock, write_lock
from ..data.pins import short_digest
from ..errors import InvalidError, ModelGateError, UnreachableError
from ..hooks import DatasetProtocol, ModelProtocol, version_of
from ..models.baseline import BASELINES
from ..models.known import KnownModel
from ..redact import redact
from ..results import Check, DatasetRecord, Finding, RoleRecord, Verdict
from ..spec import NO_MODEL, DataRule, GateSpec, Role, SourceContext
from .memory import Memory, store_of_user
from .registry import load_model, open_dataset

T = TypeVar("T")

NOT_PINNED = "not pinned"


@dataclass(frozen=True, slots=True)
class Failed:
    """A stage that could not be completed, the check that says so, and the error behind it."""

    check: Check
    error: Exception


class Beside(NamedTuple):
    """A dataset that the judged one is held against.

    ``pin`` passes with ``"pinned"``, ``"pinned now"`` or ``"not pinned"``: it need not be pinned, but where
    it is, it has to be what was agreed to.
    """

    dataset: DatasetProtocol | Failed
    pin: Check


class Inputs:
    """Everything that a gate opens, lazily and once.

    Nothing here raises for trouble with data, models or servers: what could not be opened is a
    ``Failed``, whose check goes into the record.
    """

    def __init__(self, spec: GateSpec, registry: pluggy.PluginManager, *, pin: bool, today: date) -> None:
        self.spec = spec
        self._registry = registry
        self._by_source: dict[str, ModelProtocol | Failed] = {}
        self._pin = pin
        self._today = today
        self._beside: dict[str, Beside] = {}

    @cached_property
    def lock(self) -> Lock | Failed:
        """The pins that were agreed."""
        return attempt("pin", "lock file", lambda: read_lock(lock_path(self.spec.root)))

    @cached_property
    def context(self) -> SourceContext:
        """What sources may need to know."""
        spec, lock = self.spec, self.lock
        return SourceContext(
            root=spec.root,
            tracking_uri=spec.tracking_uri,
            trusted_sources=spec.trusted_sources,
            pinned_models=MappingProxyType({} if isinstance(lock, Failed) else lock.model_digests()),
            key=spec.key,
            # Pinning asks what a moving name means now; judging takes what was agreed to.
            pinned_versions=MappingProxyType(
                {} if self._pin or isinstance(lock, Failed) else lock.versions()
            ),
            pinning=self._pin,
        )

    @cached_property
    def memory(self) -> Memory | None:
        """What models said before about these rows; ``None`` where the gate does not ask for it."""
        dataset = self.dataset
        if not self.spec.cache or isinstance(dataset, Failed):
            return None
        return Memory(self.spec, dataset, store_of_user())

    @cached_property
    def dataset(self) -> DatasetProtocol | Failed:
        """The dataset, opened and digested."""
        source = self.spec.dataset
        return attempt("dataset", source, lambda: open_dataset(self._registry, source, self.context))

    @cached_property
    def pin(self) -> Check:
        """Whether the dataset is the one that was agreed to; with ``--gate-pin`` it is agreed to now."""
        lock, dataset = self.lock, self.dataset
        if isinstance(lock, Failed):
            return lock.check
        if isinstance(dataset, Failed):
            return dataset.check
        return self._write_pin(dataset) if self._pin else check_pin(lock, dataset)

    def _write_pin(self, dataset: DatasetProtocol) -> Check:
        """Agree to a dataset as it is now."""

        def write() -> Check:
            # Read again: another gate of this run may have pinned its own dataset meanwhile.
            before = read_lock(lock_path(self.spec.root))
            after = pin(before, dataset, self._today)
            if after != before:
                write_lock(lock_path(self.spec.root), after)
            changed = before.dataset(dataset.source) is not None
            now = "pinned now, changed" if changed else "pinned now"
            return Check(name="pin", verdict=Verdict.PASS, summary="pinned" if after == before else now)

        written = attempt("pin", "lock file", write)
        return written.check if isinstance(written, Failed) else written

    def beside(self, name: str, source: str) -> Beside:
        """Return a dataset that the judged one is held against, opened once, and how it stands to its pin.

        Parameters
        ----------
        name : str
            Of the check that asks for it.
        source : str
            Training data, a reference, what a rule refers to.
        """
        if source not in self._beside:
            found = attempt(name, source, lambda: open_dataset(self._registry, source, self.context))
            self._beside[source] = Beside(found, self._pin_beside(found))
        found, pinned = self._beside[source]
        # One source in two parts is opened once, but each part says its own name.
        if isinstance(found, Failed):
            found = Failed(replace(found.check, name=name), found.error)
        return Beside(found, replace(pinned, name=name))

    def _pin_beside(self, found: DatasetProtocol | Failed) -> Check:
        """Say whether it is what was agreed to, where it is pinned; ``model-gate pin`` does that for all."""
        lock = self.lock
        if isinstance(found, Failed):
            return found.check
        if isinstance(lock, Failed):
            return lock.check
        if self._pin:
            return self._write_pin(found)
        if lock.dataset(found.source) is None:
            return Check(name="pin", verdict=Verdict.PASS, summary=NOT_PINNED)
        return check_pin(lock, found)

    def sources_beside(self) -> tuple[tuple[str, str], ...]:
        """Return which other datasets the gate names, each with the check that asks for it."""
        spec, found = self.spec, {}
        if spec.leakage is not None:
            found[spec.leakage.train] = "leakage"
        if spec.drift is not None:
            found.setdefault(spec.drift.reference, "drift")
        for rule in self._all_rules:
            if rule.rule == "refers":
                found.setdefault(str(rule.options["to"]), "rules")
        found.pop(spec.dataset, None)
        return tuple((name, source) for source, name in found.items())

    @cached_property
    def _all_rules(self) -> tuple[DataRule, ...]:
        """The rules of the schema file and of the gate."""
        from ..data.schemas.schema_file import load_rules

        spec = self.spec
        # A file that cannot be read is the finding of the schema.
        of_file = attempt("schema", spec.schema, lambda: load_rules(spec.schema, spec.root))
        return (*(() if isinstance(of_file, Failed) else of_file), *spec.rules)

    @cached_property
    def schema(self) -> Check | None:
        """Whether the dataset keeps its schema; ``None`` where none was given."""
        dataset = self.dataset
        if isinstance(dataset, Failed):
            return dataset.check
        if not self.spec.schema:
            return None
        from ..data.schemas.schema import validate

        schema, redact = self.spec.schema, self.spec.redact_examples
        found = attempt("schema", schema, lambda: validate(schema, dataset, self.context, redact=redact))
        return found.check if isinstance(found, Failed) else found

    @cached_property
    def rules(self) -> Check | None:
        """Whether the dataset keeps the rules of the gate and of its schema file; ``None`` where none are."""
        dataset, spec = self.dataset, self.spec
        if isinstance(dataset, Failed):
            return None  # the schema, or the dataset itself, says why
        rules = self._all_rules
        if not rules:
            return None
        from .rules import Own, check_rules

        apart = (spec.key, spec.sample_weight, spec.groups, spec.strata, spec.query, spec.time)
        own = Own(
            target=spec.target, apart=tuple(name for name in apart if name), redact=spec.redact_examples
        )
        found = attempt(
            "rules",
            spec.dataset,
            lambda: check_rules(rules, dataset, self._referred, own=own),
        )
        return found.check if isinstance(found, Failed) else found

    def _referred(self, source: str) -> DatasetProtocol:
        """Open what a rule refers to.

        Raises
        ------
        ModelGateError
            If it cannot be opened, or is not what was agreed to.
        """
        found, pinned = self.beside("rules", source)
        if isinstance(found, Failed):
            raise found.error
        if pinned.fails:
            finding = pinned.findings[0]
            raise InvalidError(finding.problem, finding.remedy)
        return found

    def of_candidate(self, source: str) -> Inputs:
        """Return these inputs with another candidate: what both look at is opened, and checked, once."""
        _ = self.lock, self.context, self.dataset, self.pin, self.schema, self.rules
        # One for all of them; what is wrong with it is said where a model is opened.
        attempt("cache", self.spec.dataset, lambda: self.memory)
        other = copy(self)
        other.spec = replace(self.spec, candidate=source, candidates=())
        other.__dict__.pop("models", None)
        return other

    @cached_property
    def models(self) -> dict[Role, ModelProtocol | Failed]:
        """The loaded models; built-in baselines are none."""
        roles: dict[Role, str] = {"candidate": self.spec.candidate}
        if self.spec.production != NO_MODEL:
            roles["production"] = self.spec.production
        if self.spec.baseline and self.spec.baseline not in BASELINES:
            roles["baseline"] = self.spec.baseline
        loaded: dict[Role, ModelProtocol | Failed] = {}
        by_source = self._by_source
        for role, source in roles.items():
            if source not in by_source:
                silent = _silent(source, by_source.values())
                opening = partial(self._open_model, source)
                opened = attempt(role, source, opening) if silent is None else silent
                by_source[source] = self._of_these_rows(role, source, opened)
            found = by_source[source]
            # One source in two roles is loaded once, but each role says its own name.
            loaded[role] = _renamed(found, role) if isinstance(found, Failed) else found
        return loaded

    def _open_model(self, source: str) -> ModelProtocol:
        context, memory = self.context, self.memory
        if memory is not None:
            context = replace(context, recall=memory.recalling(context))
        return load_model(self._registry, source, context)

    def _of_these_rows(
        self, role: Role, source: str, model: ModelProtocol | Failed
    ) -> ModelProtocol | Failed:
        """Refuse predictions that say that they were made of other rows."""
        made_on = str(getattr(model, "scored_on", ""))
        dataset = self.dataset if made_on else None
        if dataset is None or isinstance(dataset, Failed) or dataset.digest in ("", made_on):
            return model
        error = InvalidError(
            f"'{redact(source)}' was made on a dataset with {short_digest(made_on)}, and the gate judges on "
            f"{redact(dataset.source)} with {short_digest(dataset.digest)}.",
            "Score this dataset: model-gate score MODEL DATA -o FILE",
        )
        return Failed(failed_check(role, source, error), error)

    @property
    def unopened(self) -> str:
        """The candidate that could not be opened: its exact version where it is known, else its source."""
        found = self.models["candidate"]
        if not isinstance(found, Failed):
            return ""
        resolved = found.error.resolved if isinstance(found.error, ModelGateError) else ""
        return redact(resolved or self.spec.candidate)

    def role_records(self, answers: Mapping[str, str]) -> tuple[RoleRecord, ...]:
        """Return which models the roles turned out to be.

        Parameters
        ----------
        answers : mapping
            Role -> digest of what it said, for models that have no content of their own.
        """
        records = [
            RoleRecord(
                role=role,
                source=redact(self.spec.source(role)),
                resolved=redact(model.resolved),
                digest=model.digest or answers.get(role, ""),
                kind=model.kind,
                from_cache=isinstance(model, KnownModel) and model.used,
            )
            for role, model in self.models.items()
            if not isinstance(model, Failed)
        ]
        if self.spec.baseline in BASELINES:
            name = self.spec.baseline
            records.append(
                RoleRecord(role="baseline", source=name, resolved=name, digest="", kind="built in")
            )
        return tuple(records)

    def dataset_record(
        self, *, rows_used: int = 0, dropped: tuple[tuple[str, int], ...] = ()
    ) -> DatasetRecord | None:
        """Return which rows were looked at, or ``None`` where there are none."""
        dataset = self.dataset
        if isinstance(dataset, Failed):
            return None
        return DatasetRecord(
            source=redact(dataset.source),
            resolved=redact(dataset.resolved),
            digest=dataset.digest,
            pin=self.pin.summary,
            rows=dataset.rows,
            rows_used=rows_used,
            dropped=dropped,
            columns=dataset.columns,
            version=redact(version_of(dataset)),
        )


def attempt(name: str, subject: str, action: Callable[[], T]) -> T | Failed:
    """Return what the action returns, or why it could not be completed."""
    try:
        return action()
    except Exception as error:  # noqa: BLE001 - a gate answers "error", it never ends in a traceback
        return Failed(failed_check(name, subject, error), error)


def failed_check(name: str, subject: str, error: Exception) -> Check:
    """Return the check that says why a stage could not be completed."""
    if isinstance(error, ModelGateError):
        verdict = Verdict.INVALID if isinstance(error, InvalidError) else Verdict.ERROR
        finding = Finding(subject=redact(subject), problem=error.what, remedy=error.remedy)
    else:
        verdict = Verdict.ERROR
        lines = str(error).strip().splitlines()
        said = f": {redact(lines[0][:200])}" if lines else ""
        finding = Finding(
            subject=redact(subject),
            problem=f"{name} failed unexpectedly with {type(error).__name__}{said}.",
            remedy="Run pytest with -v and --gate-report report.json, and report this as a bug.",
        )
    return Check(name=name, verdict=verdict, summary=finding.problem, findings=(finding,))


def _silent(source: str, loaded: Iterable[ModelProtocol | Failed]) -> Failed | None:
    """Return why a source cannot be opened where its server has not answered for another one."""
    for found in loaded:
        if not isinstance(found, Failed) or not isinstance(found.error, UnreachableError):
            continue
        if source.startswith(found.error.prefixes):
            said = found.error
            # Which version that one meant says nothing about this one.
            return replace(found, error=UnreachableError(said.what, said.remedy, prefixes=said.prefixes))
    return None


def _renamed(failed: Failed, role: Role) -> Failed:
    return replace(failed, check=replace(failed.check, name=role))
