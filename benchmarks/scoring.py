"""What scoring through the gate costs beside MLflow's own ``predict``, and what contracts add to it.

    python benchmarks/scoring.py --rows 10000 --rows 100000 --rows 1000000

Models of 20 features are written by MLflow; each is loaded by MLflow (``pyfunc.load_model``) and by the gate,
and both predict the same frame, in turns. Both give the same numbers, which is checked. Readings are
processor time of one thread, as JSON lines, then tables of medians of pairs. Target: at most 5 % more than
MLflow's. Nothing fails here: time is no test.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import tempfile
import time
import warnings
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")

import numpy as np
import pandas as pd

from pytest_model_gate.gate.names import checked, metrics_of
from pytest_model_gate.gate.registry import build_registry
from pytest_model_gate.gate.rows import collect
from pytest_model_gate.models.identity import Identity
from pytest_model_gate.models.mlmodel import load_folder
from pytest_model_gate.models.scoring import score
from pytest_model_gate.spec import Contracts, GateSpec, SourceContext

FEATURES = [f"f{number:02d}" for number in range(20)]
TRAINED = 5_000
TARGET = 0.05
OFF = Contracts(determinism=False, row_independence=False, signature=False)


def main() -> None:
    """Measure, and print JSON lines and tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rows", type=int, action="append", help="repeatable (default: 10,000 and 100,000)")
    parser.add_argument("--runs", type=int, default=9, help="pairs of readings (default: 9)")
    options = parser.parse_args()
    sizes = options.rows or [10_000, 100_000]
    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory() as place:
        folders = write_models(Path(place))
        pyfunc(folders, sizes, options.runs)
        contracts(folders, sizes, options.runs)


def rows(count: int) -> pd.DataFrame:
    """Return rows with a target of two classes."""
    rng = np.random.default_rng(11)
    frame = pd.DataFrame(rng.normal(size=(count, len(FEATURES))), columns=FEATURES)
    noise = rng.normal(size=count)
    frame["y"] = (frame[FEATURES[:5]].sum(axis=1) + noise > 0).astype("int64")
    return frame


def write_models(place: Path) -> dict[str, Path]:
    """Write models as MLflow does, each with a signature."""
    import mlflow
    from mlflow.models import infer_signature
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
    from sklearn.linear_model import LogisticRegression
    from xgboost import XGBRegressor

    data = rows(TRAINED)
    signature = infer_signature(data[FEATURES])
    boosted = HistGradientBoostingClassifier(random_state=0).fit(data[FEATURES], data.y)
    scikit = {
        "sklearn linear, probabilities": LogisticRegression().fit(data[FEATURES], data.y),
        "sklearn boosting, probabilities": boosted,
        "sklearn boosting, values": HistGradientBoostingRegressor(random_state=0).fit(data[FEATURES], data.y),
    }
    folders = {}
    for name, fitted in scikit.items():
        folders[name] = place / name.replace(" ", "-")
        mlflow.sklearn.save_model(
            fitted,
            folders[name],
            signature=signature,
            serialization_format="cloudpickle",
            pyfunc_predict_fn="predict" if name.endswith("values") else "predict_proba",
        )
    name = "xgboost, values"
    folders[name] = place / "xgboost"
    fitted = XGBRegressor(n_estimators=100, n_jobs=1, random_state=0).fit(data[FEATURES], data.y)
    mlflow.xgboost.save_model(fitted, folders[name], signature=signature)

    class Wrapped(mlflow.pyfunc.PythonModel):
        def predict(self, context: Any, model_input: pd.DataFrame, params: Any = None) -> Any:  # noqa: ARG002
            return boosted.predict_proba(model_input)

    name = "function of Python, probabilities"
    folders[name] = place / "function"
    mlflow.pyfunc.save_model(folders[name], python_model=Wrapped(), signature=signature)
    return folders


def ours(folder: Path) -> Any:
    """Load a model as a gate does."""
    identity = Identity(source=folder.name, resolved=folder.name, digest="sha256:0")
    return load_folder(identity, folder, SourceContext(trusted_sources=("*",))).model


def pyfunc(folders: dict[str, Path], sizes: list[int], runs: int) -> None:
    """Measure scoring beside MLflow's ``predict``."""
    import mlflow

    lines = []
    for name, folder in folders.items():
        theirs, model = mlflow.pyfunc.load_model(str(folder)), ours(folder)
        form = "value" if name.endswith("values") else "probability"
        for size in sizes:
            data = rows(size)[FEATURES]

            def gate(model: Any = model, data: pd.DataFrame = data, form: str = form) -> Any:
                return getattr(score(model, [data], [form]), form)

            def by_mlflow(theirs: Any = theirs, data: pd.DataFrame = data) -> Any:
                return theirs.predict(data)

            np.testing.assert_allclose(gate(), np.asarray(by_mlflow()), rtol=1e-6)
            times = in_turns({"gate": gate, "mlflow": by_mlflow}, runs)
            ratio = statistics.median(a / b for a, b in zip(times["gate"], times["mlflow"], strict=True))
            print(json.dumps({"benchmark": "pyfunc", "model": name, "rows": size, "seconds": times}))
            theirs_ms = statistics.median(times["mlflow"]) * 1000
            lines.append(f"| {name} | {size:,} | {theirs_ms:.1f} ms | {ratio - 1:+.1%} |")
    print("\n| model | rows | MLflow's predict | the gate beside it |\n|---|---|---|---|")
    print("\n".join(lines))
    print(f"\nTarget: at most {TARGET:+.0%}.\n")


class Held:
    """Rows in memory, as a dataset."""

    source = resolved = digest = "memory"

    def __init__(self, frame: pd.DataFrame) -> None:
        self.frame, self.rows = frame, len(frame)
        self.columns = tuple((str(name), str(dtype)) for name, dtype in frame.dtypes.items())

    def batches(self, columns: Any = None) -> Any:
        """Yield all of them."""
        yield self.frame if columns is None else self.frame[list(columns)]


def contracts(folders: dict[str, Path], sizes: list[int], runs: int) -> None:
    """Measure the pass over the rows with and without contracts."""
    lines = []
    for name, folder in folders.items():
        model = ours(folder)
        values = name.endswith("values")
        spec = GateSpec(
            name="g",
            candidate="a",
            production="none",
            baseline="mean" if values else "prior",
            dataset="d",
            target="y",
            metrics=("mean_absolute_error",) if values else ("roc_auc",),
        )
        registry = build_registry()
        spec = checked(spec, registry)
        metrics = metrics_of(spec, registry)
        for size in sizes:
            held = Held(rows(size))

            times = in_turns(
                {
                    "with": partial(collect, spec, held, {"candidate": model}, metrics),
                    "without": partial(
                        collect, replace(spec, contracts=OFF), held, {"candidate": model}, metrics
                    ),
                },
                runs,
            )
            extra = [a - b for a, b in zip(times["with"], times["without"], strict=True)]
            print(json.dumps({"benchmark": "contracts", "model": name, "rows": size, "seconds": times}))
            base, more = statistics.median(times["without"]), statistics.median(extra)
            cells = (
                name,
                f"{size:,}",
                f"{base * 1000:.1f} ms",
                f"{more * 1000:+.1f} ms",
                f"{more / base:+.1%}",
            )
            lines.append(f"| {' | '.join(cells)} |")
    print("\n| model | rows | without contracts | contracts add | |\n|---|---|---|---|---|")
    print("\n".join(lines))


def in_turns(calls: dict[str, Callable[[], Any]], runs: int) -> dict[str, list[float]]:
    """Call all in turns, in alternating order, and return the processor time of each call."""
    times: dict[str, list[float]] = {name: [] for name in calls}
    for call in calls.values():
        call()
    for number in range(runs):
        for name in list(calls) if number % 2 else list(calls)[::-1]:
            start = time.process_time()
            calls[name]()
            times[name].append(round(time.process_time() - start, 6))
    return times


if __name__ == "__main__":
    main()
