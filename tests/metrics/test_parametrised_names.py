"""``stem@parameter``: one spelling, a range, and what is said where a parameter makes no sense."""

from __future__ import annotations

import tomllib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_model_gate.config.files import read_project
from pytest_model_gate.errors import ConfigurationError
from pytest_model_gate.metrics.catalogue import names, resolve
from pytest_model_gate.metrics.parametrised import Parametrised, spelled
from pytest_model_gate.spec import Tolerance

QUICK = settings(max_examples=50, deadline=None, derandomize=True)


@pytest.mark.parametrize(
    ("asked", "name"),
    [
        ("top_k_accuracy@5", "top_k_accuracy@5"),
        ("top_k_accuracy@05", "top_k_accuracy@5"),
        ("Top-K Accuracy @ 5 ", "top_k_accuracy@5"),
        ("top_k_accuracy_score@5", "top_k_accuracy@5"),
        ("top_k_accuracy", "top_k_accuracy@2"),
        ("top_k_accuracy_score", "top_k_accuracy@2"),
        ("mean_pinball_loss@0.90", "mean_pinball_loss@0.9"),
        ("mean_pinball_loss@.9", "mean_pinball_loss@0.9"),
        ("mean_pinball_loss@9e-1", "mean_pinball_loss@0.9"),
        ("neg_mean_pinball_loss@0.9", "mean_pinball_loss@0.9"),
        ("quantile_loss@0.9", "mean_pinball_loss@0.9"),
        ("mean_pinball_loss", "mean_pinball_loss@0.5"),
    ],
)
def test_every_spelling_is_one_metric(asked, name):
    assert resolve(asked).name == name
    assert resolve(asked) is resolve(name)


TOP_K = "k of top_k_accuracy must be a whole number from 1 on, got {}.\n  Write for example top_k_accuracy@2."
PINBALL = (
    "alpha of mean_pinball_loss must be a number between 0 and 1, got {}.\n"
    "  Write for example mean_pinball_loss@0.5."
)


@pytest.mark.parametrize(
    ("asked", "text"),
    [
        *(
            (f"top_k_accuracy@{k}", TOP_K.format(repr(k)))
            for k in ("0", "-1", "1.5", "", "x", "1_0", "9" * 5000)
        ),
        *(
            (f"mean_pinball_loss@{a}", PINBALL.format(repr(a)))
            for a in ("0", "1", "-0.5", "nan", "inf", "1e-999", "", "0.5@")
        ),
    ],
    ids=lambda value: value[:30],
)
def test_a_parameter_out_of_its_range_says_the_range_and_an_example(asked, text):
    with pytest.raises(ConfigurationError) as caught:
        resolve(asked)
    assert str(caught.value) == text


@pytest.mark.parametrize(
    ("asked", "hint"),
    [
        ("top_k_acuracy@5", "Did you mean 'top_k_accuracy@5'?"),
        ("mean_pinbal_loss@0.9", "Did you mean 'mean_pinball_loss@0.9'?"),
        ("top_k_acuracy", "Did you mean 'top_k_accuracy@2'?"),
        ("accuracy@5", "accuracy takes no parameter: write 'accuracy'."),
        ("mae@5", "mae takes no parameter: write 'mae'."),
        ("f1@2", "f1 takes no parameter: write 'f1'."),
        ("zzz@5", f"Known: {', '.join(names())}."),
    ],
)
def test_an_unknown_stem_suggests_the_nearest(asked, hint):
    with pytest.raises(ConfigurationError) as caught:
        resolve(asked)
    assert str(caught.value) == f"There is no metric {asked!r}.\n  {hint}"


def family(**changes):
    given = {
        "make": lambda name, parameter: (name, parameter),
        "kind": int,
        "parameter": "k",
        "range": "a whole number from 1 on",
        "allowed": lambda k: k >= 1,
        "shown": 10,
    }
    return Parametrised(**{**given, **changes})


def test_what_the_stem_alone_means():
    assert family(alone=3).metric("ndcg", None) == ("ndcg@3", 3)
    assert family(alone="none").metric("ndcg", None) == ("ndcg", None)
    with pytest.raises(ConfigurationError) as caught:
        family().metric("ndcg", None)
    assert str(caught.value) == "ndcg needs its k: a whole number from 1 on.\n  Write for example ndcg@10."


@given(st.floats(min_value=-99, max_value=99))
@QUICK
def test_a_spelled_number_is_read_as_itself(number):
    read = family(kind=float, allowed=lambda _: True).metric("x", spelled(round(number, 6)).lower())
    assert read[1] == round(number, 6)
    assert read[0] == f"x@{spelled(round(number, 6) + 0)}"


def test_a_number_keeps_its_sign_and_zero_has_none():
    power = family(kind=float, allowed=lambda _: True)
    assert power.metric("x", "-1") == ("x@-1", -1.0)
    assert power.metric("x", "-0.0")[0] == "x@0"


def test_in_toml_such_a_name_is_a_quoted_key(tmp_path):
    text = """
[gates.flights]
candidate = "a"
production = "b"
dataset = "c"
target = "y"
metrics = ["top_k_accuracy@5", "accuracy"]
max_regression = { "top_k_accuracy@5" = "2%", accuracy = 0.01 }
"""
    (tmp_path / "model_gate.toml").write_text(text)

    gate = read_project(tmp_path).gates["flights"]

    assert gate["max_regression"] == {
        "top_k_accuracy@5": Tolerance(0.02, relative=True),
        "accuracy": Tolerance(0.01),
    }
    with pytest.raises(tomllib.TOMLDecodeError):
        tomllib.loads("top_k_accuracy@5 = 0.1")
