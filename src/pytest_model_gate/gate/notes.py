"""What a reader of a record should know beside its verdict: odd circumstances, and library versions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from importlib.metadata import PackageNotFoundError, version

from ..hooks import ModelProtocol
from ..metrics.metric import Metric
from ..models.best_run import PREFIXES
from ..models.endpoints import KIND as ENDPOINT
from ..redact import redact
from ..results import Line
from ..spec import NO_MODEL, GateSpec, Role
from .inputs import Failed

#: Distributions whose version can change a prediction or a number, where they are installed.
VERSIONED = (
    "pytest-model-gate",
    "numpy",
    "pandas",
    "pyarrow",
    "scipy",
    "scikit-learn",
    "skops",
    "xgboost",
    "xgboost-cpu",
    "lightgbm",
    "onnxruntime",
    "mlflow",
)


def below_zero(lines: Iterable[Line], metrics: Mapping[str, Metric]) -> tuple[str, ...]:
    """Say of values below 0 of a distance that they are no mistake: the noise of the bins was taken off."""
    names = dict.fromkeys(
        line.metric
        for line in lines
        if metrics[line.metric].family == "binned" and min(line.candidate or 0.0, line.reference or 0.0) < 0
    )
    return tuple(
        f"{name} is below 0 where less is seen than the noise of its bins, which was taken off, explains: "
        "read it as 0"
        for name in names
    )


def notes(spec: GateSpec, models: Mapping[Role, ModelProtocol | Failed]) -> tuple[str, ...]:
    """Return what is odd about the comparison itself, the gravest first."""
    found: list[str] = []
    model = one_model(models)
    if model is not None:
        found.append(
            "candidate and production are the same model: was the wrong one compared? "
            f"({redact(model.resolved)})"
        )
    found += [
        f"{role} is the {chosen}: the metric that chose it is optimistic (winner's curse); what counts is "
        "this holdout"
        for role, chosen in _chosen(models)
    ]
    for role, one in models.items():
        said = "" if isinstance(one, Failed) else getattr(one, "said", "")
        if said:
            found.append(f"the {role} is loaded because these very bytes are pinned, although {said}")
        if not isinstance(one, Failed) and one.kind == ENDPOINT:
            unknown = "" if getattr(one, "version", "") else ", and its server names no version of the model"
            found.append(f"the {role} is an endpoint: its digest is of the answers that it gave{unknown}")
    if spec.production == NO_MODEL:
        found.append("first release: there is no production model; judged by baseline and floors only")
    if spec.production == NO_MODEL and spec.slices:
        found.append("slices are judged against production only: there is none, so no slice is judged")
    if spec.production == NO_MODEL and spec.find_slices is not None:
        found.append("find_slices compares with production: there is none, so nothing is searched")
    if not spec.baseline:
        trivial = "mean" if spec.task == "regression" else "prior"
        found.append(
            f'NO BASELINE: nothing shows that this model beats a trivial one; baseline = "{trivial}"?'
        )
    return tuple(found)


def _chosen(models: Mapping[Role, ModelProtocol | Failed]) -> Iterable[tuple[Role, str]]:
    """Yield the roles whose model a search found, and of how many it was the best."""
    for role, found in models.items():
        if not isinstance(found, Failed) and found.source.startswith(PREFIXES):
            yield role, redact(found.resolved).partition(" (")[2].rstrip(")")


def one_model(models: Mapping[Role, ModelProtocol | Failed]) -> ModelProtocol | None:
    """Return the model that is both candidate and production, or ``None``."""
    one, other = models.get("candidate"), models.get("production")
    if one is None or other is None or isinstance(one, Failed) or isinstance(other, Failed):
        return None
    # One file of predictions may hold several models' columns.
    copies = one.digest and one.digest == other.digest and one.kind != "predictions"
    return one if one.resolved == other.resolved or copies else None


def versions() -> tuple[tuple[str, str], ...]:
    """Return the installed versions of the libraries that may take part.

    Not only of those that are imported: that depends on what else ran in this process.
    """
    found = []
    for name in VERSIONED:
        try:
            found.append((name, version(name)))
        except PackageNotFoundError:
            continue
    return tuple(found)
