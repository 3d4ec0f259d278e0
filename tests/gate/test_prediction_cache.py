"""Predictions from the cache: the same record without the models, and a miss where anything else is asked."""

from __future__ import annotations

import os
import sys
from dataclasses import replace

import joblib
import numpy as np
import pandas as pd
import pytest
import skops.io
import xgboost
from hypothesis import given
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OrdinalEncoder

import pytest_model_gate.models.files as model_files
from pytest_model_gate.gate import memory as memory_module
from pytest_model_gate.gate.fingerprint import config_digest, policy_digest
from pytest_model_gate.gate.memory import Memory
from pytest_model_gate.models.fixed_code import told_by_bytes
from pytest_model_gate.models.identity import Identity
from pytest_model_gate.models.prediction_store import Store
from pytest_model_gate.results import Verdict
from pytest_model_gate.spec import Contracts, GateSpec, OperationLimit, Operations, SourceContext
from pytest_model_gate.wire import dumps, loads

SCORED = "the {} is scored every time: not only its bytes decide what it predicts"


@pytest.fixture(autouse=True)
def cache(tmp_path_factory, monkeypatch):
    """A cache of the test's own."""
    place = tmp_path_factory.mktemp("cache")
    monkeypatch.setenv("MODEL_GATE_CACHE", str(place))
    return place / "predictions"


@pytest.fixture
def loads_of(monkeypatch):
    """Which model files were loaded."""
    loaded, real = [], model_files._load_now

    def counted(identity, content, suffix, context):
        loaded.append(identity.source)
        return real(identity, content, suffix, context)

    monkeypatch.setattr(model_files, "_load_now", counted)
    return loaded


@pytest.fixture
def files(project):
    """Two model files of each kind that is told by its bytes."""
    rows = project.frame
    for name, strength in (("good", 1.0), ("poor", 0.001)):
        fitted = LogisticRegression(C=strength).fit(rows[["x", "z"]], rows.y)
        skops.io.dump(fitted, project.root / f"{name}.skops")
        joblib.dump(fitted, project.root / f"{name}.joblib")
        booster = xgboost.XGBClassifier(n_estimators=3 if name == "good" else 1, random_state=0)
        booster.fit(rows[["x", "z"]], rows.y).save_model(project.root / f"{name}.ubj")
    project.spec = replace(
        project.spec,
        candidate="good.skops",
        production="poor.skops",
        key="",
        cache=True,
        slices=(),
        trusted_sources=("*.joblib",),
    )
    return project


def plain(record):
    """Return all of a record but where predictions are from, and whether the dataset was pinned before."""
    return replace(
        record,
        roles=tuple(replace(role, from_cache=False) for role in record.roles),
        dataset=replace(record.dataset, pin=""),
        checks=tuple(check for check in record.checks if check.name != "pin"),
    )


def from_cache(record):
    return {role.role for role in record.roles if role.from_cache}


# -------------------------------------------------------------------------------------------- the same


@pytest.mark.parametrize("suffix", ["skops", "joblib", "ubj"])
def test_a_warm_cache_gives_the_same_record_and_loads_nothing(files, loads_of, cache, suffix):
    sources = {"candidate": f"good.{suffix}", "production": f"poor.{suffix}"}
    without = files.record(**sources, cache=False)
    assert not cache.exists()
    cold = files.record(**sources)
    assert len(list(cache.iterdir())) == 2
    loads_of.clear()
    warm = files.record(**sources)
    assert loads_of == []
    assert without.verdict is cold.verdict is warm.verdict is Verdict.PASS
    assert (from_cache(without), from_cache(cold), from_cache(warm)) == (
        set(),
        set(),
        {"candidate", "production"},
    )
    assert plain(without) == plain(cold) == plain(warm)
    assert loads(dumps(warm)) == warm


def test_only_what_is_new_is_loaded(files, loads_of):
    files.record()
    loads_of.clear()
    record = files.record(candidate="good.ubj")
    assert loads_of == ["good.ubj"]
    assert from_cache(record) == {"production"}
    assert plain(record) == plain(files.record(candidate="good.ubj", cache=False))


def test_a_regressor_and_its_rows(files, loads_of):
    rows = files.frame.assign(y=files.frame.x + 0.1 * files.frame.z)
    files.write(rows)
    for name, rounds in (("good", 40), ("poor", 5)):
        xgboost.XGBRegressor(n_estimators=rounds).fit(rows[["x", "z"]], rows.y).save_model(
            files.root / f"{name}.json"
        )
    keys = {
        "candidate": "good.json",
        "production": "poor.json",
        "metrics": ("root_mean_squared_error",),
        "baseline": "mean",
    }
    cold = files.record(**keys)
    loads_of.clear()
    assert plain(cold) == plain(files.record(**keys))
    assert loads_of == []


def test_no_feature_is_read_where_all_is_known(files, monkeypatch):
    files.record()
    evaluation, read = files.evaluation(), []
    dataset = evaluation.inputs.dataset
    real = type(dataset).batches
    monkeypatch.setattr(
        type(dataset), "batches", lambda self, columns=None: read.append(columns) or real(self, columns)
    )
    assert evaluation.record().verdict is Verdict.PASS
    assert read == [["y"]]


def test_one_model_in_two_roles(files):
    files.record(candidate="poor.skops")
    warm = files.record(candidate="poor.skops")
    assert from_cache(warm) == {"candidate", "production"}
    assert plain(warm) == plain(files.record(candidate="poor.skops", cache=False))


def test_several_candidates_share_what_is_known(files, loads_of):
    keys = {"candidate": "good.ubj", "candidates": ("good.ubj", "good.skops")}
    from pytest_model_gate.gate.candidates import evaluation_of
    from pytest_model_gate.gate.names import checked

    def record(**more):
        spec = checked(replace(files.spec, **keys, **more), files.registry)
        return evaluation_of(spec, files.registry, pin=True).record()

    without, cold = record(cache=False), record()
    loads_of.clear()
    warm = record()
    assert loads_of == []
    assert plain(without) == plain(cold) == plain(warm)
    assert warm.leaderboard == without.leaderboard


# ------------------------------------------------------------------------------------- what is live


def test_a_test_that_asks_a_known_model_gets_the_model(files, loads_of):
    files.record()
    loads_of.clear()
    evaluation = files.evaluation()
    assert evaluation.record().verdict is Verdict.PASS
    model = evaluation.model("production")
    assert loads_of == []
    probability = model.predict_proba(files.frame)
    assert loads_of == ["poor.skops"]
    np.testing.assert_array_equal(
        probability, skops.io.load(files.root / "poor.skops").predict_proba(files.frame[["x", "z"]])
    )


def test_what_a_model_costs_is_measured_on_the_model(files, loads_of):
    files.record()
    loads_of.clear()
    record = files.record(operations=Operations(memory=OperationLimit(max=1e9), batch=50))
    assert sorted(loads_of) == ["good.skops", "poor.skops"]
    assert from_cache(record) == {"candidate", "production"}


def test_promises_on_other_rows_are_asked_of_the_model(files, loads_of):
    """A candidate that reads another column has other rows chosen, so production is asked on these."""
    files.record()
    rows = files.frame
    skops.io.dump(LogisticRegression().fit(rows[["x"]], rows.y), files.root / "narrow.skops")
    skops.io.dump(LogisticRegression().fit(rows[["id", "x", "z"]], rows.y), files.root / "wide.skops")
    loads_of.clear()
    files.record(candidate="narrow.skops")  # reads nothing that production doesn't
    assert loads_of == ["narrow.skops"]
    loads_of.clear()
    record = files.record(candidate="wide.skops")
    assert loads_of == ["wide.skops", "poor.skops"]
    assert plain(record) == plain(files.record(candidate="wide.skops", cache=False))
    loads_of.clear()
    assert plain(files.record(candidate="wide.skops")) == plain(record)
    assert loads_of == []


def test_what_was_found_is_found_again(files):
    rows = files.frame.assign(region=["new" if n % 7 == 0 else "old" for n in range(len(files.frame))])
    files.write(rows)
    pipe = make_pipeline(
        OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1), LogisticRegression()
    )
    skops.io.dump(
        pipe.fit(rows[["region"]].replace({"new": "old"}).assign(region="old"), rows.y),
        files.root / "old.skops",
    )
    cold, warm = (files.record(production="old.skops") for _ in range(2))
    (finding,) = next(check for check in warm.checks if check.name == "contract").findings
    assert finding.problem.startswith(
        "the production did not see in training some values of column 'region': "
    )
    assert finding.examples == ("'new'",)
    assert plain(cold) == plain(warm)
    assert from_cache(warm) == {"candidate", "production"}
    hidden = [files.record(production="old.skops", redact_examples=True) for _ in range(2)]
    assert plain(hidden[0]) == plain(hidden[1])
    for file in memory_module.store_of_user().folder.iterdir():
        assert b"'new'" not in file.read_bytes()


# ------------------------------------------------------------------------------------- never kept


@pytest.mark.parametrize("source", ["python:cached_models:steady", "predictions:scores.parquet#prod"])
def test_sources_without_bytes_of_their_own_are_not_kept(files, cache, source):
    files.module(
        "cached_models",
        "def steady():\n    return lambda frame: 1 / (1 + 2.718281828 ** -(frame.x + frame.z))\n",
    )
    record = files.record(production=source, key="id")
    sys.modules.pop("cached_models", None)
    assert len(list(cache.iterdir())) == 1  # the candidate's
    assert (SCORED.format("production") in record.notes) == source.startswith("python:")


def test_a_pickle_of_the_projects_own_code_is_not_kept(files, cache, monkeypatch):
    """The same bytes predict otherwise after an edit of the code that they name."""
    monkeypatch.syspath_prepend(str(files.root))
    text = (
        "from sklearn.linear_model import LogisticRegression\n"
        "class Own(LogisticRegression):\n"
        "    def predict_proba(self, rows):\n"
        "        return {}super().predict_proba(rows){}\n"
    )
    files.module("own_models", text.format("", ""))
    import own_models

    joblib.dump(own_models.Own().fit(files.frame[["x", "z"]], files.frame.y), files.root / "own.joblib")
    first = files.record(candidate="own.joblib")
    assert SCORED.format("candidate") in first.notes
    assert len(list(cache.iterdir())) == 1
    files.module("own_models", text.format("1 - ", ""))
    assert files.record(candidate="own.joblib").verdict is Verdict.REGRESSED
    sys.modules.pop("own_models", None)


def test_a_function_of_the_project_inside_of_a_pipeline_is_seen(files, monkeypatch):
    monkeypatch.syspath_prepend(str(files.root))
    files.module("own_functions", "def double(rows):\n    return rows * 2\n")
    import own_functions

    pipe = make_pipeline(FunctionTransformer(own_functions.double), LogisticRegression())
    pipe.fit(files.frame[["x", "z"]], files.frame.y)
    joblib.dump(pipe, files.root / "pipe.joblib")
    joblib.dump(pipe, files.root / "pipe.joblib.gz")
    joblib.dump(pipe[-1], files.root / "alone.joblib")
    for name, told in (("pipe.joblib", False), ("pipe.joblib.gz", False), ("alone.joblib", True)):
        assert told_by_bytes([(files.root / name).read_bytes()], str(files.root)) is told
    # A module of the project that takes the place of a library.
    (files.root / "sklearn").mkdir()
    (files.root / "sklearn" / "__init__.py").touch()
    taken = {name: module for name, module in sys.modules.items() if name.partition(".")[0] == "sklearn"}
    for name in taken:
        monkeypatch.delitem(sys.modules, name)
    assert not told_by_bytes([(files.root / "alone.joblib").read_bytes()], str(files.root))
    sys.modules.pop("own_functions", None)


def test_bytes_that_cannot_be_followed_are_not_told():
    assert not told_by_bytes([b"no pickle"], ".")
    assert not told_by_bytes([b""], ".")
    assert told_by_bytes([], ".")


def test_what_breaks_its_contract_is_not_kept(files, cache, monkeypatch):
    real = LogisticRegression.predict_proba
    rng = np.random.default_rng(0)

    def shaky(self, rows):
        found = np.clip(real(self, rows) + (rng.normal(0, 0.01, (len(rows), 1)) * [1, -1]), 0, 1)
        return found / found.sum(axis=1, keepdims=True)

    monkeypatch.setattr(LogisticRegression, "predict_proba", shaky)
    record = files.record()
    assert record.verdict is Verdict.INVALID
    assert not cache.exists()


@pytest.mark.parametrize("asked", [Contracts(determinism=False, row_independence=False)])
def test_what_nobody_asked_again_is_not_kept(files, cache, asked):
    record = files.record(contracts=asked)
    assert record.verdict is Verdict.PASS
    assert not cache.exists()
    assert (
        "no predictions are kept: with contracts switched off, nobody knows whether a model would say "
        "the same again" in record.notes
    )


def test_predictions_that_cannot_be_judged_are_not_kept(files, cache, monkeypatch):
    monkeypatch.setattr(
        LogisticRegression, "predict_proba", lambda self, rows: np.full((len(rows), 2), np.nan)
    )
    assert files.record().verdict is Verdict.INVALID
    assert not cache.exists()


def test_trust_is_asked_every_time(files, loads_of):
    keys = {"candidate": "good.joblib", "production": "poor.joblib"}
    files.record(**keys)
    files.record(**keys)
    record = files.record(**keys, trusted_sources=())
    assert record.verdict is Verdict.INVALID
    assert "'good.joblib' is not trusted: it is a pickle" in record.reason


# ------------------------------------------------------------------------------------- misses


def test_every_change_is_a_miss(files, loads_of):
    files.record()

    def misses(**keys):
        loads_of.clear()
        record = files.record(**keys)
        found = sorted(loads_of)
        assert plain(record) == plain(files.record(**keys, cache=False))
        return found

    both = ["good.skops", "poor.skops"]
    assert misses() == []
    assert misses(metrics=("brier_score",)) == []  # reads the same predictions
    assert misses(pos_label=0, floors={}) == []
    assert misses(key="id") == both  # the column is no feature then
    assert misses(sample_weight="id") == both
    assert misses(drop_missing_target=True) == both
    files.write(files.frame.iloc[::-1])
    assert misses() == both
    files.write(files.frame[["id", "z", "x", "y", "region", "cand", "prod", "bad"]].iloc[:-1])
    assert misses() == both
    fitted = LogisticRegression(C=2.0).fit(files.frame[["x", "z"]], files.frame.y)
    skops.io.dump(fitted, files.root / "good.skops")
    assert misses() == ["good.skops"]


SPEC = GateSpec(
    name="g",
    candidate="a.skops",
    production="b.skops",
    dataset="d",
    target="y",
    metrics=("roc_auc",),
    task="classification",
)
DATASET = {"digest": "sha256:1", "rows": 10, "columns": (("x", "double"), ("z", "double"), ("y", "int64"))}


def key_of(*, model="sha256:a", how=".skops", spec=SPEC, trusted=(), pinned=None, kind="Table", **dataset):
    dataset = DATASET | dataset
    rows = type(kind, (), dataset)()
    context = SourceContext(trusted_sources=trusted, pinned_models=pinned or {})
    identity = Identity(source="a.skops", resolved="a.skops", digest=model)
    return Memory(spec, rows, Store.__new__(Store)).key(identity, how, context)


def test_what_has_no_digest_has_no_key():
    assert key_of(model="") == key_of(digest="") == ""


def test_every_part_of_a_key_counts(monkeypatch):
    keys = [
        key_of(),
        key_of(model="sha256:b"),
        key_of(how=".joblib"),
        key_of(digest="sha256:2"),
        key_of(rows=11),
        key_of(kind="Other"),
        key_of(columns=DATASET["columns"][::-1]),
        key_of(columns=(("x", "float"), *DATASET["columns"][1:])),
        key_of(columns=DATASET["columns"][1:]),
        key_of(spec=replace(SPEC, target="z")),
        key_of(spec=replace(SPEC, sample_weight="z")),
        key_of(spec=replace(SPEC, key="z")),
        key_of(spec=replace(SPEC, query="z")),
        key_of(spec=replace(SPEC, drop_missing_target=True)),
        key_of(spec=replace(SPEC, task="regression")),
        key_of(trusted=("*",)),
        key_of(pinned={"a.skops": "sha256:a"}),
    ]
    for place in range(len(memory_module.surroundings())):
        real = list(memory_module.surroundings())
        real[place] += "x"
        with monkeypatch.context() as patch:
            patch.setattr(memory_module, "surroundings", lambda real=real: tuple(real))
            keys.append(key_of())
    assert len(set(keys)) == len(keys) == 22


text = st.text(max_size=4)


@given(
    one=st.tuples(text, text, st.lists(st.tuples(text, text), max_size=3), text, text),
    other=st.tuples(text, text, st.lists(st.tuples(text, text), max_size=3), text, text),
)
def test_two_keys_are_equal_only_where_all_is(one, other):
    def key(parts):
        model, how, columns, target, weight = parts
        spec = replace(SPEC, target=target, sample_weight=weight)
        return key_of(model=f"sha256:{model}", how=how, columns=tuple(columns), spec=spec)

    assert (key(one) == key(other)) == (one == other)


def test_where_predictions_lie_is_no_policy():
    other = replace(SPEC, cache=True)
    assert (config_digest(SPEC), policy_digest(SPEC)) == (config_digest(other), policy_digest(other))


# ------------------------------------------------------------------------------------- a bad folder


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda content: content[:-1], "its bytes are not those that were written"),
        (lambda content: content[:20], "it is no file of predictions"),
        (lambda content: b"", "it is no file of predictions"),
        (lambda content: content[:-8] + bytes(8), "its bytes are not those that were written"),
    ],
)
def test_a_damaged_file_is_scored_again_and_said_once(files, cache, loads_of, damage, said):
    cold = files.record()
    for file in cache.iterdir():
        file.write_bytes(damage(file.read_bytes()))
    loads_of.clear()
    record = files.record()
    assert sorted(loads_of) == ["good.skops", "poor.skops"]
    note = f"a file of kept predictions was not used, and the model scored again: {said}"
    assert record.notes == (*cold.notes, note)
    assert record.lines == cold.lines
    assert from_cache(files.record()) == {"candidate", "production"}
    assert files.record().notes == cold.notes


def test_the_file_of_another_model_is_not_believed(files, cache):
    """Copied under the name of the better model, the worse one's predictions are not used."""
    cold = files.record()
    one, other = cache.iterdir()
    one.write_bytes(other.read_bytes())
    record = files.record()
    assert record.lines == cold.lines
    assert (
        "a file of kept predictions was not used, and the model scored again: it is the file of another "
        "model or dataset" in record.notes
    )


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="modes of files are those of POSIX")
def test_a_folder_that_others_may_write_is_not_used(files, cache):
    cold = files.record()
    cache.chmod(0o777)
    record = files.record()
    place = cache.as_posix()
    assert from_cache(record) == set()
    assert record.lines == cold.lines
    assert record.notes == (
        *cold.notes,
        f"no kept predictions are used from {place}: it can be written by other users; give it to this user "
        "alone (chmod -R go-w), or let MODEL_GATE_CACHE name another folder",
        f"predictions are not kept: {place} cannot be used (it can be written by other users); let "
        "MODEL_GATE_CACHE name a folder of your own, or leave the cache out",
    )


def test_a_folder_that_cannot_be_made_is_said(files, cache):
    cache.write_text("a file")
    record = files.record()
    assert record.verdict is Verdict.PASS
    assert len([note for note in record.notes if "kept" in note]) == 2


def test_a_wrong_limit_is_said_by_the_gate(files, monkeypatch):
    monkeypatch.setenv("MODEL_GATE_CACHE_MEGABYTES", "lots")
    record = files.record()
    assert record.verdict is Verdict.ERROR
    assert "MODEL_GATE_CACHE_MEGABYTES must be a number of megabytes above 0, got 'lots'." in record.reason


def test_rows_that_are_not_those_of_the_key_are_scored(files, cache, monkeypatch, loads_of):
    """Whatever a key forgets: where the number of rows is another one, nothing known is used."""
    monkeypatch.setattr(
        Memory, "key", lambda self, identity, how, context: identity.digest.rpartition(":")[2]
    )
    files.record()
    files.write(files.frame.iloc[:1500])
    loads_of.clear()
    record = files.record()
    assert sorted(loads_of) == ["good.skops", "poor.skops"]
    assert from_cache(record) == set()
    assert plain(record) == plain(files.record(cache=False))
    assert pd.read_parquet(files.root / "data.parquet").shape[0] == record.dataset.rows_used == 1500
