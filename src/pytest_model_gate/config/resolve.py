"""The one function for precedence: command line, marker, named gate, project defaults, built-in defaults."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from ..errors import ConfigurationError, did_you_mean
from ..redact import redact
from ..spec import Contracts, Drift, FindSlices, GateSpec, Leakage, OperationLimit, Operations, SliceSpec
from .declared import OWN_FILE
from .files import Project

#: What every gate needs; everything else has a built-in default.
REQUIRED = ("candidate", "production", "dataset", "target", "metrics")


@dataclass(frozen=True, slots=True, kw_only=True)
class Overrides:
    """The sources given on the command line, as typed: ``SRC`` or ``NAME=SRC``, repeatable."""

    candidate: tuple[str, ...] = ()
    production: tuple[str, ...] = ()
    baseline: tuple[str, ...] = ()
    dataset: tuple[str, ...] = ()

    def items(self) -> tuple[tuple[str, str], ...]:
        """Every override as (key, text)."""
        return tuple(
            (key, text)
            for key in ("candidate", "production", "baseline", "dataset")
            for text in getattr(self, key)
        )

    def check(self, selected: Iterable[str], known: Iterable[str]) -> None:
        """Refuse a source that fits no gate, or that could be meant for several.

        Parameters
        ----------
        selected : iterable of str
            The gates that are going to run.
        known : iterable of str
            All gates that may be named.

        Raises
        ------
        ConfigurationError
            Lists the gates, or suggests the nearest.
        """
        running, names = sorted(set(selected)), set(known)
        for key, text in self.items():
            option, shown = f"--gate-{key}", redact(text)
            if not names:
                raise ConfigurationError(
                    f"{option} {shown}: no gate was collected.", "Mark a test with @pytest.mark.model_gate."
                )
            named = _gate_of(text, names) is not None
            if not named and _looks_named(text):
                name = text.partition("=")[0]
                raise ConfigurationError(
                    f"{option} {shown}: no gate is called {name!r}.", did_you_mean(name, names)
                )
            if not running:
                # Asked to judge this very source, a run that judges nothing must not be green.
                raise ConfigurationError(
                    f"{option} {shown}: no gate is among the tests that run, so nothing would be judged.",
                    "Run the tests that hold the gate, or leave the option out.",
                )
            if named:
                continue
            if len(running) > 1:
                listed = ", ".join(running)
                raise ConfigurationError(
                    f"{option} {shown} names no gate, and {len(running)} are collected: {listed}.",
                    f"Write {option} {running[0]}={shown}, or select one gate with -k.",
                )

    def for_gate(self, name: str) -> dict[str, str]:
        """Return key -> source for one gate; of several that fit it the last one, as everywhere in pytest.

        So ``addopts`` may hold a usual candidate, and the command line another one.
        """
        found: dict[str, str] = {}
        for key, text in self.items():
            if _gate_of(text, {name}) is not None:
                found[key] = text.partition("=")[2]
            elif not _looks_named(text):
                found[key] = text
        return found


def _gate_of(text: str, names: set[str]) -> str | None:
    name, equals, _ = text.partition("=")
    return name if equals and name in names else None


def _looks_named(text: str) -> bool:
    """Whether a text reads NAME=SRC; a source may hold "=" itself, but only behind ":", "/", "?" or "#"."""
    name, equals, _ = text.partition("=")
    return bool(equals) and not any(sign in name for sign in ":/?#")


def resolve(
    project: Project,
    *,
    name: str | None,
    mark: Mapping[str, Any],
    default_name: str,
    overrides: Overrides | None = None,
) -> GateSpec:
    """Return the gate that a marked test asks for.

    Parameters
    ----------
    project : Project
        Files.
    name : str or None
        The declared gate that the marker names.
    mark : mapping
        The marker's keywords, as written.
    default_name : str
        What to call a gate that only the marker describes.
    overrides : Overrides, optional
        The command line.

    Raises
    ------
    ConfigurationError
        For an unknown gate, an unknown key, a wrong value or a missing key.
    """
    from .tables import GateTable, read_table

    if name is not None and name not in project.gates:
        declared = did_you_mean(name, project.gates) if project.gates else "No gate is declared there."
        raise ConfigurationError(
            f"model_gate({name!r}): no such gate in "
            f"{project.file or f'pyproject.toml or model_gate.toml of {project.root.as_posix()}'}.",
            f"{declared} Gates are tables such as "
            f"[{'' if project.file == OWN_FILE else 'tool.model_gate.'}gates.{name}].",
        )
    if name is None and not mark:
        if len(project.gates) != 1:
            raise ConfigurationError(
                f"@pytest.mark.model_gate says nothing, and {len(project.gates)} gates are declared.",
                "Name one, as in @pytest.mark.model_gate('credit'), or give candidate=, production=, ….",
            )
        name = next(iter(project.gates))
    label = name or default_name
    marked = read_table(GateTable, mark, f"model_gate marker of {label}")
    merged = _merged(
        label,
        project.defaults,
        project.gates[name] if name is not None else {},
        marked,
        overrides.for_gate(label) if overrides is not None else {},
    )
    missing = [key for key in REQUIRED if merged.get(key) is None]
    if missing:
        raise ConfigurationError(
            f"gate {label!r} lacks {', '.join(missing)}.",
            'A gate needs candidate, production ("none" for a first release), dataset, target and metrics.',
        )
    return _spec(project, label, merged)


def _merged(label: str, *layers: Mapping[str, Any]) -> dict[str, Any]:
    """Put layers of keys over each other; one candidate and several take each other's place."""
    merged: dict[str, Any] = {}
    for layer in layers:
        given = [key for key in ("candidate", "candidates") if layer.get(key) is not None]
        if len(given) > 1:
            raise ConfigurationError(
                f"gate {label!r} has candidate and candidates.", "Keep candidates, with all of them in it."
            )
        for key in ("candidate", "candidates") if given else ():
            merged.pop(key, None)
        merged |= layer
    if merged.get("candidates"):
        merged["candidate"] = merged["candidates"][0]
    return merged


def _spec(project: Project, label: str, keys: dict[str, Any]) -> GateSpec:
    plain = {key: value for key, value in keys.items() if value is not None}
    for key in ("metrics", "trusted_sources", "candidates"):
        if key in plain:
            plain[key] = tuple(plain[key])
    for key in ("max_regression", "min_gain", "floors", "threshold"):
        if key in plain:
            plain[key] = MappingProxyType(dict(plain[key]))
    plain["slices"] = tuple(
        SliceSpec(
            by=item.by,
            bins=MappingProxyType(dict(item.bins)),
            metrics=tuple(item.metrics or ()),
            max_regression=MappingProxyType(dict(item.max_regression)),
            min_rows=item.min_rows,
            min_per_class=item.min_per_class,
            on_inconclusive=item.on_inconclusive,
            on_undefined=item.on_undefined,
        )
        for item in plain.get("slices", ())
    )
    search = plain.pop("find_slices", False)
    if search:
        plain["find_slices"] = FindSlices(
            columns=tuple(search.columns or ()),
            depth=search.depth,
            min_rows=search.min_rows,
            top=search.top,
            method=search.method,
            on_found=search.on_found,
            metrics=tuple(search.metrics or ()),
            max_regression=MappingProxyType(dict(search.max_regression)),
        )
    plain.pop("leakage", None)
    leakage = _leakage_of(keys.get("leakage"))
    plain.pop("drift", None)
    drift = _drift_of(keys.get("drift"))
    plain.pop("contracts", None)
    plain.pop("operations", None)
    repeated = [key for key in ("metrics",) if len(set(plain[key])) < len(plain[key])]
    # "a x b" and "b x a" cut the same rows.
    if repeated or len({frozenset(item.columns) for item in plain["slices"]}) < len(plain["slices"]):
        raise ConfigurationError(
            f"gate {label!r} names the same {'metric' if repeated else 'slice'} twice.", "Keep one of them."
        )
    return GateSpec(
        name=label,
        waivers=tuple(waiver for waiver in project.waivers if waiver.gate == label),
        root=str(Path(project.root)),
        leakage=leakage,
        drift=drift,
        contracts=_contracts_of(keys.get("contracts")),
        operations=_operations_of(keys.get("operations")),
        **plain,
    )


def _drift_of(table: Any) -> Drift | None:
    """Return the comparison with the data that the model knows, as a gate asks for it."""
    if not table:
        return None
    return Drift(
        reference=table.reference,
        columns=tuple(table.columns or ()),
        ignore=tuple(table.ignore),
        method=MappingProxyType(dict(table.method)),
        threshold=MappingProxyType(dict(table.threshold)),
        missing_threshold=table.missing_threshold,
        overall=table.overall,
        overall_threshold=table.overall_threshold,
        predictions=table.predictions,
        blocks=table.blocks or "",
        on_drift=table.on_drift,
        on_new_levels=table.on_new_levels,
        on_inconclusive=table.on_inconclusive,
    )


def _contracts_of(table: Any) -> Contracts | None:
    """Return what the models promise, as a gate asks for it; ``None``: all of it."""
    if table is None:
        return None
    if table is False:
        return Contracts(determinism=False, row_independence=False, signature=False)
    return Contracts(
        determinism=table.determinism,
        row_independence=table.row_independence,
        signature=table.signature,
        tolerance=table.tolerance,
        severity=table.severity,
    )


def _operations_of(table: Any) -> Operations | None:
    """Return what the candidate may cost, as a gate asks for it."""
    if not table:
        return None
    limits = {
        name: OperationLimit(max=limit.max, max_regression=limit.max_regression)
        for name in ("latency_per_row", "memory", "artifact_size")
        if (limit := getattr(table, name)) is not None
    }
    return Operations(**limits, batch=table.batch, severity=table.severity)


def _leakage_of(table: Any) -> Leakage | None:
    """Return what of the holdout may have been seen in training, as a gate asks for it."""
    if not table:
        return None
    alone = {} if table.single_feature is False else {"roc_auc": 0.99, "r2": 0.98}
    return Leakage(
        train=table.train,
        key=tuple(table.key or ()),
        groups=table.groups or "",
        time=table.time or "",
        near=None if table.near is False else table.near,
        columns=tuple(table.columns or ()),
        ignore=tuple(table.ignore),
        tolerance=table.tolerance,
        single_feature=MappingProxyType({**alone, **(table.single_feature or {})}),
        severity=table.severity,
    )
