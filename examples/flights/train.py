"""Train three models on January to August 2013 and register them as versions of ``flight-delay``.

``champion`` knows the schedule, ``challenger`` the weather too, and ``degraded`` is the champion trained by
a pipeline with a bug: the departure hour belongs to another flight.

Each is logged as a LightGBM booster, which MLflow keeps in LightGBM's own text format: loading it runs no
code. A model that is registered already, from the same data and the same code, is left alone.
"""

from __future__ import annotations

import hashlib
import logging
import os
import time
from pathlib import Path

HERE = Path(__file__).parent.resolve()
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")

import lightgbm as lgb  # noqa: E402 - the environment comes first
import mlflow  # noqa: E402
import pandas as pd  # noqa: E402
from mlflow.exceptions import MlflowException  # noqa: E402
from mlflow.models import infer_signature  # noqa: E402
from prepare import DATA, TARGET, WEATHER  # noqa: E402

NAME = "flight-delay"
TRAIN = DATA / "train_2013.csv"
TRACKING_URI = f"sqlite:///{(HERE / 'mlflow.db').as_posix()}"
TEXT = ["carrier", "origin"]  # no destination: new ones come every season, and the distance says as much
SCHEDULE = [*TEXT, "distance", "hour", "dow"]
ROUNDS = 60
SETTINGS = {
    "objective": "binary",
    "learning_rate": 0.1,
    "num_leaves": 31,
    "seed": 0,
    "deterministic": True,
    "force_row_wise": True,
    "num_threads": 1,  # a second one gains nothing on so little work, and loses a lot on a busy machine
    "verbose": -1,
}
FEATURES = {"champion": SCHEDULE, "challenger": SCHEDULE + WEATHER, "degraded": SCHEDULE}


def main() -> None:
    """Train and register what is not registered yet."""
    logging.getLogger("alembic").setLevel(logging.WARNING)  # one line per migration of the new database
    logging.getLogger("mlflow").setLevel(logging.ERROR)  # no pip in an environment made by uv: no matter here
    mlflow.set_tracking_uri(TRACKING_URI)
    client = mlflow.MlflowClient()
    if client.get_experiment_by_name(NAME) is None:
        client.create_experiment(NAME, artifact_location=(HERE / "mlruns").as_uri())
    mlflow.set_experiment(NAME)

    made_from = fingerprint()
    flights = pd.read_csv(TRAIN, dtype=dict.fromkeys(TEXT, "category"))
    for alias, features in FEATURES.items():
        if registered(client, alias) == made_from:
            print(f"models:/{NAME}@{alias}: up to date")
            continue
        started = time.perf_counter()
        rows = misaligned(flights) if alias == "degraded" else flights
        booster = lgb.train(SETTINGS, lgb.Dataset(rows[features], rows[TARGET]), ROUNDS)
        seconds = time.perf_counter() - started
        version = register(client, alias, booster, rows[features], made_from)
        print(f"models:/{NAME}@{alias}: version {version}, {len(features)} features, {seconds:.1f} s")


def misaligned(flights: pd.DataFrame) -> pd.DataFrame:
    """Return the flights with the hours of other flights: a sort, then an assignment without the index."""
    by_number = flights.sort_values("flight", kind="stable")
    return flights.assign(hour=by_number["hour"].to_numpy())


def fingerprint() -> str:
    """Return a digest of everything that a model is made from: the data, this code and the library."""
    digest = hashlib.sha256(lgb.__version__.encode())
    for path in (TRAIN, Path(__file__)):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def registered(client: mlflow.MlflowClient, alias: str) -> str:
    """Return the fingerprint of the version behind an alias; empty where there is none."""
    try:
        return str(client.get_model_version_by_alias(NAME, alias).tags.get("made_from", ""))
    except MlflowException:  # neither the model nor the alias exists in a fresh store
        return ""


def register(
    client: mlflow.MlflowClient, alias: str, booster: lgb.Booster, rows: pd.DataFrame, made_from: str
) -> str:
    """Log one booster as the next version of the registered model, and move the alias to it."""
    # For the signature: categories are text, and integers floats, as an integer column can miss no value.
    kinds = {name: "str" if name in TEXT else "float64" for name in rows}
    sample = rows.head(100).astype(kinds)
    with mlflow.start_run(run_name=alias):
        mlflow.log_params({**SETTINGS, "rounds": ROUNDS, "rows": len(rows)})
        logged = mlflow.lightgbm.log_model(
            booster,
            name=alias,
            registered_model_name=NAME,
            signature=infer_signature(sample, booster.predict(rows.head(100))),
            pip_requirements=[f"lightgbm=={lgb.__version__}"],  # else MLflow takes ten seconds to find them
        )
    version = str(logged.registered_model_version)
    client.set_model_version_tag(NAME, version, "made_from", made_from)
    client.set_registered_model_alias(NAME, alias, version)
    return version


if __name__ == "__main__":
    main()
