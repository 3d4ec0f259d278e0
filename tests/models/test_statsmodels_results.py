"""Results of statsmodels: formulas and arrays, through a trusted pickle and MLflow's flavour."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import statsmodels.api as sm
import statsmodels.formula.api as smf

from pytest_model_gate.errors import InvalidError
from pytest_model_gate.models.identity import Identity
from pytest_model_gate.models.mlmodel import load_folder
from pytest_model_gate.spec import SourceContext

FORMULA = "y ~ a + np.log(b ** 2 + 1) + C(place) + Q('the c')"


@pytest.fixture
def rows(data):
    return data.rows.rename(columns={"c": "the c"}).assign(y=data.label, v=data.value)


def trusted(load):
    return load("m.pickle", trusted_sources=("m.pickle",))


def test_a_formula_names_its_columns_and_gives_probabilities(rows, load, tmp_path):
    fitted = smf.logit(FORMULA, rows).fit(disp=0)
    fitted.save(tmp_path / "m.pickle")
    model = trusted(load)
    assert (model.kind, model.classes) == ("pickle", None)
    assert set(model.columns) == {"a", "b", "place", "the c"}
    np.testing.assert_array_equal(
        model.predict(rows[list(model.columns)], "probability"), fitted.predict(rows).to_numpy()
    )
    assert model.predict(rows[list(model.columns)], "label") is None


def test_an_array_gets_its_constant_back(rows, load, tmp_path):
    design = sm.add_constant(rows[["a", "b"]])
    fitted = sm.OLS(rows["v"], design).fit()
    fitted.save(tmp_path / "m.pickle")
    model = trusted(load)
    assert model.columns == ("a", "b")
    np.testing.assert_array_equal(model.predict(rows[["a", "b"]], "value"), fitted.predict(design).to_numpy())


def test_several_classes_are_a_matrix(rows, load, tmp_path):
    three = np.digitize(rows["v"], [-0.5, 0.5])
    design = sm.add_constant(rows[["a", "b"]])
    fitted = sm.MNLogit(three, design).fit(disp=0)
    fitted.save(tmp_path / "m.pickle")
    np.testing.assert_array_equal(
        trusted(load).predict(rows[["a", "b"]], "probability"), fitted.predict(design).to_numpy()
    )


def test_a_row_with_a_missing_value_stays_in_its_place(rows, load, tmp_path):
    smf.ols("v ~ a + b", rows).fit().save(tmp_path / "m.pickle")
    model = trusted(load)
    holes = rows[["a", "b"]].copy()
    holes.loc[3, "a"] = np.nan
    said = model.predict(holes.set_axis([0] * len(holes), axis=0), "value")
    assert np.flatnonzero(np.isnan(said)).tolist() == [3]
    np.testing.assert_array_equal(np.delete(said, 3), np.delete(model.predict(rows[["a", "b"]], "value"), 3))


def test_mlflows_flavour_gives_the_same_numbers_and_needs_trust(rows, load, tmp_path):
    import mlflow

    fitted = smf.glm("y ~ a + b", rows, family=sm.families.Binomial()).fit()
    fitted.save(tmp_path / "m.pickle")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        mlflow.statsmodels.save_model(fitted, str(tmp_path / "logged"), pip_requirements=["statsmodels"])
    identity = Identity(source="models:/s/1", resolved="models:/s/1", digest="sha256:00")
    with pytest.raises(
        InvalidError, match=r"^'models:/s/1' is not trusted: its statsmodels flavour is a pick"
    ):
        load_folder(identity, tmp_path / "logged", SourceContext())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        logged = load_folder(
            identity, tmp_path / "logged", SourceContext(trusted_sources=("models:/s/*",))
        ).model
    expected = fitted.predict(rows).to_numpy()
    for model in (logged, trusted(load)):
        assert set(model.columns) == {"a", "b"}
        np.testing.assert_array_equal(model.predict(rows[["a", "b"]], "probability"), expected)


def test_it_is_not_loaded_without_trust(rows, load, tmp_path):
    smf.ols("v ~ a", rows).fit().save(tmp_path / "m.pickle")
    with pytest.raises(InvalidError, match=r"^'m.pickle' is not trusted: it is a pickle"):
        load("m.pickle")
