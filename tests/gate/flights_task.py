"""The flights of the example, fewer of them: five models of five libraries, and the project of their gate."""

from __future__ import annotations

import importlib.util
import pickle
import shutil
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import joblib
import pandas as pd
from flights_served import FEATURES, NUMBERS, TEXT, as_categories

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "flights"
MODELS = ("xgboost", "lightgbm", "catboost", "onnx", "sklearn")
#: The file that each library writes itself.
FILES = {
    "xgboost": "xgboost.ubj",
    "lightgbm": "lightgbm.txt",
    "catboost": "catboost.cbm",
    "onnx": "onnx.onnx",
    "sklearn": "sklearn.skops",
}
ROWS = 5_000


@dataclass(frozen=True)
class Flights:
    """A folder with the models in all their files and the holdout, and the models in memory."""

    root: Path
    fitted: dict[str, Any]
    holdout: pd.DataFrame

    def own_answer(self, name: str) -> Any:
        """Return what the model says by its own library, in memory, before it was ever written."""
        model, rows = self.fitted[name], self.holdout
        if name == "onnx":
            import onnxruntime

            session = onnxruntime.InferenceSession(model.SerializeToString())
            feed = {column: rows[[column]].astype(object).to_numpy() for column in TEXT}
            feed |= {column: rows[[column]].to_numpy(dtype="float32") for column in NUMBERS}
            return session.run(["probabilities"], feed)[0].astype(float)
        boosted = name in ("xgboost", "lightgbm")
        return model.predict_proba(as_categories(rows) if boosted else rows[FEATURES]).astype(float)


def flights(prepare: Any) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return rows to train on, with every carrier, and later ones to judge on."""
    every = prepare.labelled("2013", *prepare.read_2013()).reset_index(drop=True)
    seen = every[every["month"] < prepare.FIRST_HOLDOUT_MONTH]
    later = every[every["month"] >= prepare.FIRST_HOLDOUT_MONTH]
    of_each = seen.groupby("carrier").head(5)
    others = seen.drop(of_each.index).sample(ROWS - len(of_each), random_state=0)
    return pd.concat([of_each, others]), later.sample(ROWS, random_state=0)


def make(root: Path) -> Flights:
    """Train the models, and write the project."""
    spec = importlib.util.spec_from_file_location("flights_prepare", EXAMPLE / "prepare.py")
    assert spec is not None
    assert spec.loader is not None
    prepare = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(prepare)
    training, holdout = flights(prepare)
    holdout = holdout[[*FEATURES, prepare.TARGET]].reset_index(names="flight_id")
    holdout.to_csv(root / "holdout.csv", index=False)
    holdout = pd.read_csv(root / "holdout.csv")
    assert holdout[NUMBERS].isna().any().any()
    fitted = fit(training, training[prepare.TARGET])
    write(root, fitted, training, prepare.TARGET)
    shutil.copy(Path(__file__).with_name("flights_served.py"), root / "served.py")
    return Flights(root, fitted, holdout)


def fit(training: pd.DataFrame, late: pd.Series[int]) -> dict[str, Any]:
    """Return the five models, fitted."""
    import catboost
    import lightgbm
    import xgboost
    from sklearn.compose import make_column_transformer
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    few: dict[str, Any] = {"n_estimators": 30, "n_jobs": 1, "random_state": 0}
    columns = make_column_transformer((OneHotEncoder(sparse_output=False), TEXT), ("passthrough", NUMBERS))
    forest = make_pipeline(columns, HistGradientBoostingClassifier(max_iter=30, random_state=0))
    filled = make_pipeline(SimpleImputer(strategy="median"), StandardScaler())
    linear = make_pipeline(
        make_column_transformer((OneHotEncoder(), TEXT), (filled, NUMBERS)), LogisticRegression(max_iter=1000)
    )
    return {
        "xgboost": xgboost.XGBClassifier(**few, enable_categorical=True).fit(as_categories(training), late),
        "lightgbm": lightgbm.LGBMClassifier(**few, verbose=-1).fit(as_categories(training), late),
        "catboost": catboost.CatBoostClassifier(
            iterations=30,
            cat_features=TEXT,
            random_seed=0,
            thread_count=1,
            verbose=0,
            allow_writing_files=False,
        ).fit(training[FEATURES], late),
        "sklearn": forest.fit(training[FEATURES], late),
        "onnx": to_onnx(linear.fit(training[FEATURES], late)),
    }


def to_onnx(fitted: Any) -> Any:
    """Return the graph of a fitted pipeline: one input for each column."""
    from skl2onnx import convert_sklearn
    from skl2onnx.common.data_types import FloatTensorType, StringTensorType

    kinds = [(name, StringTensorType([None, 1])) for name in TEXT]
    kinds += [(name, FloatTensorType([None, 1])) for name in NUMBERS]
    return convert_sklearn(fitted, initial_types=kinds, options={"zipmap": False})


def write(root: Path, fitted: dict[str, Any], training: pd.DataFrame, target: str) -> None:
    """Write every model in every form that it has, and the production model."""
    import skops.io
    from sklearn.linear_model import LogisticRegression

    fitted["xgboost"].save_model(root / "xgboost.ubj")
    fitted["xgboost"].save_model(root / "xgboost.json")
    fitted["xgboost"].get_booster().save_model(root / "xgboost-booster.json")
    fitted["lightgbm"].booster_.save_model(root / "lightgbm.txt")
    fitted["catboost"].save_model(root / "catboost.cbm")
    (root / "onnx.onnx").write_bytes(fitted["onnx"].SerializeToString())
    for name in ("xgboost", "lightgbm", "catboost", "sklearn"):
        skops.io.dump(fitted[name], root / f"{name}.skops")
        joblib.dump(fitted[name], root / f"{name}.joblib", compress=3)
        (root / f"{name}.pkl").write_bytes(pickle.dumps(fitted[name]))
    (root / "xgboost-booster.pkl").write_bytes(pickle.dumps(fitted["xgboost"].get_booster()))
    (root / "lightgbm-booster.pkl").write_bytes(pickle.dumps(fitted["lightgbm"].booster_))
    schedule = ["distance", "hour", "dow"]
    skops.io.dump(LogisticRegression().fit(training[schedule], training[target]), root / "production.skops")


def signature(rows: pd.DataFrame) -> Any:
    """Return what MLflow says of the columns; numbers are floats, as an integer column can miss no value."""
    from mlflow.models import infer_signature

    return infer_signature(rows[FEATURES].head(50).astype(dict.fromkeys(NUMBERS, "float64")))


def log_to_mlflow(uri: str, task: Flights) -> dict[str, dict[str, str]]:
    """Log and save each model by its flavour, and log it as a python_function; return its ids."""
    import mlflow
    from flights_served import served
    from skops.io import get_untrusted_types

    models = {**task.fitted, "lightgbm": task.fitted["lightgbm"].booster_}
    shared = {"pip_requirements": ["mlflow"], "signature": signature(task.holdout)}
    more: dict[str, dict[str, Any]] = {
        "sklearn": {
            "serialization_format": "skops",
            # MLflow wants to hear it while logging; who reads the model has a list of his own.
            "skops_trusted_types": get_untrusted_types(file=task.root / "sklearn.skops"),
        }
    }
    found: dict[str, dict[str, str]] = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        mlflow.set_tracking_uri(uri)
        try:
            client = mlflow.MlflowClient()
            for name in MODELS:
                experiment = mlflow.create_experiment(f"flights-{name}")
                with mlflow.start_run(experiment_id=experiment) as run:
                    mlflow.log_metric("val_auc", 0.7)
                    options = {**shared, **more.get(name, {})}
                    flavour = getattr(mlflow, name)
                    logged = flavour.log_model(
                        models[name], name="model", registered_model_name=f"flights-{name}", **options
                    )
                    flavour.save_model(models[name], path=str(task.root / "folders" / name), **options)
                function = mlflow.pyfunc.log_model(
                    name="function",
                    python_model=served(name),
                    artifacts={"model": str(task.root / FILES[name])},
                    registered_model_name=f"flights-{name}-function",
                    **shared,
                )
                client.set_registered_model_alias(f"flights-{name}", "challenger", "1")
                found[name] = {
                    "run": run.info.run_id,
                    "logged": logged.model_id,
                    "function": function.model_id,
                }
        finally:
            mlflow.set_tracking_uri(None)
    return found
