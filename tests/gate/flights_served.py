"""How each model of the flights is asked by its own library, as users do: no line of the package is here.

It is copied into the project of a gate, as a module of factories and as a command::

    python served.py NAME arrow|csv      rows on stdin, probabilities of both classes on stdout
"""

import sys
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent
TEXT = ["carrier", "origin"]
NUMBERS = ["distance", "hour", "dow", "temp", "humid", "wind_speed", "precip", "visib", "pressure"]
FEATURES = [*TEXT, *NUMBERS]


def as_categories(rows):
    """Return the rows with text as categories: the boosters find their own codes for them."""
    return rows[FEATURES].astype(dict.fromkeys(TEXT, "category"))


class Asked:
    """One model, and how it is asked for the probabilities of both classes."""

    classes_ = np.array([0, 1])
    feature_names_in_ = np.array(FEATURES)

    def __init__(self, name, folder=HERE):
        self.name = name
        self.model = getattr(self, f"_load_{name}")(Path(folder))

    def predict(self, rows):
        return self.predict_proba(rows).argmax(axis=1)

    def predict_proba(self, rows):
        return getattr(self, f"_ask_{self.name}")(rows)

    def _load_xgboost(self, folder):
        import xgboost

        model = xgboost.XGBClassifier()
        model.load_model(folder / "xgboost.ubj")
        return model

    def _ask_xgboost(self, rows):
        return self.model.predict_proba(as_categories(rows))

    def _load_lightgbm(self, folder):
        import lightgbm

        return lightgbm.Booster(model_file=folder / "lightgbm.txt")

    def _ask_lightgbm(self, rows):
        positive = self.model.predict(as_categories(rows))
        return np.column_stack([1 - positive, positive])

    def _load_catboost(self, folder):
        import catboost

        return catboost.CatBoostClassifier().load_model(str(folder / "catboost.cbm"))

    def _ask_catboost(self, rows):
        return self.model.predict_proba(rows[FEATURES])

    def _load_onnx(self, folder):
        import onnxruntime

        return onnxruntime.InferenceSession(folder / "onnx.onnx", providers=["CPUExecutionProvider"])

    def _ask_onnx(self, rows):
        kinds = dict.fromkeys(TEXT, object) | dict.fromkeys(NUMBERS, "float32")
        feed = {name: rows[[name]].astype(kinds[name]).to_numpy() for name in FEATURES}
        return self.model.run(["probabilities"], feed)[0]

    def _load_sklearn(self, folder):
        import skops.io

        file = folder / "sklearn.skops"
        return skops.io.load(file, trusted=skops.io.get_untrusted_types(file=file))

    def _ask_sklearn(self, rows):
        return self.model.predict_proba(rows[FEATURES])


def xgboost_asked():
    return Asked("xgboost")


def lightgbm_asked():
    return Asked("lightgbm")


def catboost_asked():
    return Asked("catboost")


def onnx_asked():
    return Asked("onnx")


def sklearn_asked():
    return Asked("sklearn")


def xgboost_itself():
    return Asked("xgboost").model.get_booster()


def lightgbm_itself():
    return Asked("lightgbm").model


def catboost_itself():
    return Asked("catboost").model


def sklearn_itself():
    return Asked("sklearn").model


def onnx_itself():
    return Asked("onnx").predict_proba


def served(name):
    """Return what MLflow's own servers call: a python_function, which loads the model from its artifacts."""
    import pandas as pd
    from mlflow.pyfunc import PythonModel

    class Served(PythonModel):
        def load_context(self, context):
            self.asked = Asked(name, Path(context.artifacts["model"]).parent)

        def predict(self, context, model_input: pd.DataFrame, params=None):
            return self.asked.predict_proba(model_input)

    return Served()


def main():
    name, form = sys.argv[1:]
    if form == "csv":
        import pandas as pd

        # XGBoost and ONNX say float32. Written as such, the digits would be those of another float64.
        said = Asked(name).predict_proba(pd.read_csv(sys.stdin)).astype("float64")
        pd.DataFrame({"0": said[:, 0], "1": said[:, 1]}).to_csv(sys.stdout, index=False)
        return
    import pyarrow as pa

    rows = pa.ipc.open_stream(sys.stdin.buffer).read_all().to_pandas()
    said = Asked(name).predict_proba(rows)
    table = pa.table({"0": said[:, 0], "1": said[:, 1]})
    with pa.ipc.new_stream(sys.stdout.buffer, table.schema) as out:
        out.write_table(table)


if __name__ == "__main__":
    main()
