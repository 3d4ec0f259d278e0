"""What picklescan says about pickles of joblib, whose arrays are cut out first; nothing in them runs."""

import gzip
import io
import os
import pickle

import cloudpickle
import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from pytest_model_gate.models.scan import scan


class Malicious:
    """Leaves a folder behind when it is unpickled."""

    def __init__(self, mark):
        self.mark = mark

    def __reduce__(self):
        return (os.mkdir, (str(self.mark),))


def dumped(value, compress=0):
    stream = io.BytesIO()
    joblib.dump(value, stream, compress=compress)
    return stream.getvalue()


X = np.random.default_rng(1).random((200, 3))
Y = (X[:, 0] > 0.5).astype(int)
TEXT = pd.DataFrame({"a": ["x", "y"] * 100, "b": ["u"] * 200})
COMPRESSED = [0, 3, ("gzip", 3), ("bz2", 3), ("xz", 3), ("lzma", 3)]


@pytest.mark.parametrize("compress", COMPRESSED, ids=str)
@pytest.mark.parametrize(
    "model",
    [
        RandomForestClassifier(3).fit(X, Y),
        HistGradientBoostingClassifier(max_iter=3).fit(X, Y),
        make_pipeline(OneHotEncoder(), RandomForestClassifier(3)).fit(TEXT, Y),
    ],
    ids=["forest", "boosting", "objects"],
)
def test_models_of_joblib_are_read_to_their_end(model, compress):
    assert scan({"m": dumped(model, compress)}).clean


@pytest.mark.parametrize("compress", COMPRESSED, ids=str)
@pytest.mark.parametrize("place", ["first", "behind an array", "within an array"])
def test_what_is_dangerous_is_found_wherever_it_is(place, compress, tmp_path):
    bad, array = Malicious(tmp_path / "it-ran"), np.arange(1000.0)
    held = np.empty(2, dtype=object)
    held[:] = [bad, np.ones(3)]
    value = {"first": [bad, array], "behind an array": [array, array, bad], "within an array": [array, held]}

    found = scan({"m": dumped(value[place], compress)})

    assert found.dangerous == ("posix.mkdir",)
    assert str(found).endswith(" finds that it calls posix.mkdir")
    assert not (tmp_path / "it-ran").exists()


def test_plain_pickles(tmp_path):
    bad = Malicious(tmp_path / "it-ran")

    assert scan({"m": pickle.dumps({"a": X})}).clean
    assert scan({"m": gzip.compress(pickle.dumps(bad))}).dangerous == ("posix.mkdir",)
    assert scan({"a": pickle.dumps(1), "b": cloudpickle.dumps(bad)}).dangerous == ("posix.mkdir",)
    assert not (tmp_path / "it-ran").exists()


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "EOFError"),
        (b"junk", "error: unpack requires a buffer of 4 bytes"),
        (pickle.dumps(1) + b"more", "ValueError: there are bytes after its end"),
        (
            gzip.compress(pickle.dumps(list(range(1000))))[:-20],
            "ValueError: its compressed bytes are cut off",
        ),
        (gzip.compress(pickle.dumps(1)) + b"x", "ValueError: there are bytes after its compressed ones"),
        (b"\x04\x22\x4d\x18" + b"0" * 20, "ValueError: it is compressed by lz4"),
        (dumped(np.arange(1000.0))[:-3000], "ValueError: an array is larger than the file"),
    ],
)
def test_what_cannot_be_read_is_not_clean(content, why):
    found = scan({"m": content})

    assert not found.clean
    assert found.unread == why
    assert str(found) == f"{found.scanner} cannot read it to its end: {why}"


def test_danger_is_said_although_the_end_cannot_be_read(tmp_path):
    found = scan({"m": pickle.dumps(Malicious(tmp_path / "it-ran")) + b"\xff\xff"})

    assert found.dangerous == ("posix.mkdir",)
    assert not (tmp_path / "it-ran").exists()


def test_a_bomb_is_not_unpacked_to_its_end(monkeypatch):
    monkeypatch.setattr("pytest_model_gate.models.scan._LARGEST", 1 << 20)

    assert scan({"m": gzip.compress(bytes(1 << 24))}).unread == (
        "ValueError: it is larger than 1,048,576 bytes when it is unpacked"
    )


def test_without_the_scanner_nothing_is_said(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "picklescan.scanner", None)

    assert scan({"m": b"junk"}) is None


def test_functions_by_value_are_expected_where_they_are_known_to_be():
    def double(x):
        return 2 * x

    files = {"model": cloudpickle.dumps(double)}
    assert not scan(files).clean
    assert all(name.startswith("cloudpickle.") for name in scan(files).dangerous)
    assert scan(files, by_value=True).clean
    assert not scan({"model": pickle.dumps(Bad())}, by_value=True).clean


class Bad:
    def __reduce__(self):
        import os

        return os.system, ("true",)
