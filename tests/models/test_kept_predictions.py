"""Kept predictions on disk: what comes back is what was written, and a hostile folder gives nothing."""

from __future__ import annotations

import hashlib
import json
import os
import pickle
import signal
import stat
import subprocess
import sys
import time
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_model_gate.errors import ConfigurationError
from pytest_model_gate.models.prediction_file import DamagedError, Kept, decode, encode
from pytest_model_gate.models.prediction_store import Store, UnsafeError, most_bytes
from pytest_model_gate.models.scoring import Scored, argmax_labels
from pytest_model_gate.models.surroundings import installed
from pytest_model_gate.results import Finding

KEY = "a" * 64
NO_FILE = "its header says what no such file says"

posix = pytest.mark.skipif(not hasattr(os, "geteuid"), reason="owners and modes of files are those of POSIX")


def kept(**forms):
    rows = len(next(iter(forms.values())))
    return Kept(key=KEY, kind="skops", columns=("x", "z"), classes=(0, 1), scored=Scored(rows=rows, **forms))


def binary(rows=5):
    positive = np.random.default_rng(0).random(rows)
    return np.column_stack([1 - positive, positive])


def sealed(body: bytes) -> bytes:
    """Return a file with the right checksum, as an attacker would write it."""
    return b"model-gate predictions 1\n" + hashlib.sha256(body).hexdigest().encode() + body


def with_header(change, arrays=None):
    """Return the bytes of a file whose header was changed by somebody who knows the format."""
    content = encode(kept(probability=binary()))
    body = content[len(b"model-gate predictions 1\n") + 64 :]
    size = int.from_bytes(body[:8], "little")
    header = json.loads(body[8 : 8 + size])
    change(header)
    text = json.dumps(header).encode()
    return sealed(len(text).to_bytes(8, "little") + text + (body[8 + size :] if arrays is None else arrays))


def assert_same(one, other):
    if one is None:
        assert other is None
        return
    assert (one.dtype, one.shape) == (other.dtype, other.shape)
    if one.dtype.kind == "O":
        assert [(type(item), item) for item in one] == [(type(item), item) for item in other]
    else:
        assert one.tobytes() == other.tobytes()


# ------------------------------------------------------------------------------------------ round trips

numbers = st.sampled_from([np.float64, np.float32, np.int64, np.int8, np.bool_])
plain = st.one_of(st.booleans(), st.integers(-3, 3), st.text(max_size=3), st.floats(-9, 9, width=16))


@given(st.data(), st.integers(0, 20))
def test_every_number_comes_back_bit_by_bit(data, rows):
    dtype = np.dtype(data.draw(numbers))
    content = data.draw(st.binary(min_size=rows * dtype.itemsize, max_size=rows * dtype.itemsize))
    values = np.frombuffer(content, dtype=np.uint8 if dtype.kind == "b" else dtype)
    values = values % 2 == 1 if dtype.kind == "b" else values
    with np.errstate(all="ignore"):
        forms = {"value": values, "probability": values.astype(np.float64).reshape(-1, 1)}
    again = decode(encode(kept(**forms)), KEY).scored
    for form in ("labels", "probability", "score", "value"):
        assert_same(forms.get(form), getattr(again, form))
    assert again.rows == rows


@given(st.lists(plain, min_size=1, max_size=8))
def test_labels_keep_their_types(labels):
    values = np.empty(len(labels), dtype=object)
    values[:] = labels
    assert_same(values, decode(encode(kept(labels=values)), KEY).scored.labels)


def test_text_of_numpy_stays_text_of_numpy():
    values = np.array(["no", "yes", "no"])
    assert_same(values, decode(encode(kept(labels=values)), KEY).scored.labels)


def test_labels_that_follow_from_probabilities_are_not_written():
    probability = binary(1000)
    labels = argmax_labels(probability, (0, 1))
    content = encode(kept(probability=probability, labels=labels))
    assert len(content) < probability.nbytes + 1000
    assert_same(labels, decode(content, KEY).scored.labels)
    other = 1 - labels
    assert_same(other, decode(encode(kept(probability=probability, labels=other)), KEY).scored.labels)


@pytest.mark.parametrize(
    "forms",
    [
        {"labels": np.array([float("nan"), 1.0], dtype=object)},
        {"labels": np.array([float("inf"), 1.0], dtype=object)},
        {"labels": np.array([object(), 1], dtype=object)},
        {"labels": np.array(["2026-01-01"], dtype="datetime64[D]")},
        {"labels": np.array([1 + 2j])},
    ],
    ids=["nan", "inf", "object", "date", "complex"],
)
def test_what_could_not_come_back_is_not_written(forms):
    assert encode(kept(**forms)) is None


def test_classes_that_could_not_come_back_are_not_written():
    assert encode(replace(kept(value=np.zeros(2)), classes=(np.int64(0), np.int64(1)))) is None


def test_all_that_is_known_comes_back():
    finding = Finding(
        subject="production", problem="did not see", count=3, examples=("'x'",), severity="warn"
    )
    whole = replace(
        kept(score=np.arange(3.0)),
        types={"x": "double"},
        said="a scanner",
        promised="p",
        findings=(finding,),
        classes=("no", True, 2.5),
    )
    again = decode(encode(whole), KEY)
    for name in ("kind", "columns", "classes", "types", "said", "promised", "findings"):
        assert getattr(again, name) == getattr(whole, name)
    assert [type(label) for label in again.classes] == [str, bool, float]


# ------------------------------------------------------------------------------------------ damaged bytes


@given(st.data())
def test_no_changed_byte_is_believed(data):
    content = encode(kept(probability=binary()))
    at = data.draw(st.integers(0, len(content) - 1))
    other = data.draw(st.integers(1, 255))
    changed = content[:at] + bytes([content[at] ^ other]) + content[at + 1 :]
    with pytest.raises(DamagedError):
        decode(changed, KEY)


@given(st.data())
def test_no_other_length_is_believed(data):
    content = encode(kept(probability=binary()))
    shorter = content[: data.draw(st.integers(0, len(content) - 1))]
    for changed in (shorter, content + data.draw(st.binary(min_size=1, max_size=20))):
        with pytest.raises(DamagedError):
            decode(changed, KEY)


@given(st.binary(max_size=200))
def test_any_bytes_with_a_right_checksum_are_refused_in_words(body):
    with pytest.raises(DamagedError):
        decode(sealed(body), KEY)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda header: header.update(rows=4), NO_FILE),
        (lambda header: header.update(rows=True), NO_FILE),
        (lambda header: header.update(rows=-1), NO_FILE),
        (lambda header: header.pop("rows"), NO_FILE),
        (lambda header: header["forms"].update(more={}), NO_FILE),
        (lambda header: header["forms"]["probability"].update(dtype="O"), NO_FILE),
        (lambda header: header["forms"]["probability"].update(dtype="|V8"), NO_FILE),
        (lambda header: header["forms"]["probability"].update(dtype="no such"), NO_FILE),
        (lambda header: header["forms"]["probability"].update(shape=[5, -2]), NO_FILE),
        (lambda header: header["forms"]["probability"].update(shape=[5, 2, 1]), NO_FILE),
        (
            lambda header: header["forms"]["probability"].update(shape=[5, 10**12]),
            "it is longer or shorter than its header says",
        ),
        (
            lambda header: header["forms"]["probability"].update(shape=[5, 1]),
            "it is longer or shorter than its header says",
        ),
        (lambda header: header.update(key="b" * 64), "it is the file of another model or dataset"),
        (lambda header: header.update(classes=[{}]), NO_FILE),
        (lambda header: header.update(findings=[{"nonsense": 1}]), NO_FILE),
        (
            lambda header: header.update(forms={"labels": "argmax"}),
            "it is longer or shorter than its header says",
        ),
    ],
)
def test_a_header_that_says_something_else_is_refused(change, said):
    with pytest.raises(DamagedError, match=f"^{said}$"):
        decode(with_header(change), KEY)


@pytest.mark.parametrize("codes", [[0, 1, 2, 0, 0], [0, -1, 0, 0, 0]], ids=["beyond", "negative"])
def test_codes_without_a_level_are_refused(codes):
    def change(header):
        header["forms"] = {"labels": {"dtype": "<i4", "as": "|O", "shape": [5], "levels": ["a", "b"]}}

    with pytest.raises(DamagedError, match=NO_FILE):
        decode(with_header(change, np.array(codes, dtype="<i4").tobytes()), KEY)


def test_a_pickle_is_no_file_of_predictions(tmp_path):
    class Bad:
        def __reduce__(self):
            return (os.system, (f"touch {tmp_path}/ran",))

    for content in (pickle.dumps(Bad()), sealed(pickle.dumps(Bad()))):
        with pytest.raises(DamagedError):
            decode(content, KEY)
    assert not (tmp_path / "ran").exists()


# ------------------------------------------------------------------------------------------ the folder


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "cache" / "predictions", 10_000)


def test_what_is_written_is_read(store):
    assert store.read(KEY) is None
    store.write(KEY, b"first")
    store.write(KEY, b"second")
    assert store.read(KEY) == b"second"
    assert [item.path.name for item in store.held()] == [f"{KEY}.predictions"]
    store.forget(KEY)
    store.forget(KEY)
    assert store.read(KEY) is None


@posix
def test_files_are_the_users_alone(store):
    store.write(KEY, b"first")
    (file,) = store.held()
    assert stat.S_IMODE(file.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(store.folder.stat().st_mode) == 0o700


@posix
@pytest.mark.parametrize("mode", [0o770, 0o707])
def test_a_folder_that_others_may_write_is_not_read(store, mode):
    store.write(KEY, b"first")
    store.folder.chmod(mode)
    for call in (lambda: store.read(KEY), lambda: store.write(KEY, b"second")):
        with pytest.raises(UnsafeError, match=r"^it can be written by other users$"):
            call()


@posix
def test_a_file_that_others_may_write_is_not_read(store):
    store.write(KEY, b"first")
    store.held()[0].path.chmod(0o666)
    with pytest.raises(UnsafeError, match=r"^it can be written by other users$"):
        store.read(KEY)


@posix
def test_a_folder_of_somebody_else_is_not_read(store, monkeypatch):
    store.write(KEY, b"first")
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    with pytest.raises(UnsafeError, match=r"^it belongs to another user$"):
        store.read(KEY)


@posix
def test_links_pipes_and_folders_are_not_read(store, tmp_path):
    store.write(KEY, b"first")
    path = store.held()[0].path
    elsewhere = tmp_path / "elsewhere"
    path.rename(elsewhere)
    path.symlink_to(elsewhere)
    with pytest.raises(DamagedError, match=r"^it cannot be opened "):
        store.read(KEY)
    path.unlink()
    os.mkfifo(path)
    with pytest.raises(DamagedError, match=r"^it is no file$"):
        store.read(KEY)
    path.unlink()
    path.mkdir()
    with pytest.raises(DamagedError, match=r"^it is no file$"):
        store.read(KEY)
    assert store.held() == []


@posix
def test_a_link_to_a_folder_is_not_read(store, tmp_path):
    (tmp_path / "cache").mkdir()
    (tmp_path / "other").mkdir(mode=0o700)
    store.folder.symlink_to(tmp_path / "other")
    with pytest.raises(UnsafeError, match=r"^it is no folder, or a link to one$"):
        store.read(KEY)


def test_what_was_not_used_for_longest_goes_first(store):
    keys = [letter * 64 for letter in "abcd"]
    now = time.time()
    for age, key in zip((40, 30, 20), keys, strict=False):
        store.write(key, bytes(3000))
        os.utime(store._path(key), (now - age, now - age))
    assert store.read(keys[0]) is not None  # used just now
    store.write(keys[3], bytes(3000))
    assert [store.read(key) is not None for key in keys] == [True, False, True, True]


def test_what_is_larger_than_all_is_not_written(store):
    store.write(KEY, b"small")
    store.write("b" * 64, bytes(10_001))
    assert [item.path.name for item in store.held()] == [f"{KEY}.predictions"]


@posix
@pytest.mark.skipif(hasattr(os, "geteuid") and os.geteuid() == 0, reason="root writes everywhere")
def test_a_folder_that_can_only_be_read_is_read(store):
    store.write(KEY, b"first")
    store.folder.chmod(0o500)
    try:
        assert store.read(KEY) == b"first"
        with pytest.raises(PermissionError):
            store.write(KEY, b"second")
    finally:
        store.folder.chmod(0o700)


def test_a_writer_that_is_killed_leaves_nothing_that_is_read(store, tmp_path):
    script = (
        "import os, sys, pathlib\n"
        "from pytest_model_gate.models.prediction_store import Store\n"
        "real = pathlib.Path.replace\n"
        "def late(self, target):\n"
        "    print('written', flush=True)\n"
        "    sys.stdin.read()\n"
        "pathlib.Path.replace = late\n"
        f"Store(pathlib.Path({str(store.folder)!r}), 10_000).write({KEY!r}, b'x' * 5000)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout.readline() == "written\n"
        process.send_signal(signal.SIGTERM if os.name == "nt" else signal.SIGKILL)
        process.wait()
    (left,) = store.folder.iterdir()
    assert left.name.endswith(".unfinished")
    assert store.read(KEY) is None
    store.write(KEY, b"whole")
    assert left.exists()  # somebody may still be writing it
    os.utime(left, (time.time() - 7200,) * 2)
    store.write(KEY, b"whole")
    assert [item.name for item in store.folder.iterdir()] == [f"{KEY}.predictions"]


def test_two_processes_write_and_read_at_once(store):
    script = (
        "import sys, pathlib\n"
        "from pytest_model_gate.models.prediction_store import Store\n"
        f"store = Store(pathlib.Path({str(store.folder)!r}), 10_000)\n"
        "letter = sys.argv[1].encode()\n"
        "for _ in range(300):\n"
        f"    store.write({KEY!r}, letter * 4000)\n"
        f"    found = store.read({KEY!r})\n"
        "    assert found is None or found in (b'a' * 4000, b'b' * 4000), found[:10]\n"
    )
    both = [subprocess.Popen([sys.executable, "-c", script, letter]) for letter in "ab"]
    assert [process.wait() for process in both] == [0, 0]
    assert len(list(store.folder.iterdir())) == 1


def test_clear_leaves_what_is_not_its_own(store):
    for letter in "ab":
        store.write(letter * 64, b"x")
    (store.folder / "notes.txt").write_text("mine")
    assert store.clear() == 2
    assert [item.name for item in store.folder.iterdir()] == ["notes.txt"]
    assert Store(store.folder / "nowhere", 1).clear() == 0


# ------------------------------------------------------------------------------------------ settings


def test_the_limit_is_a_setting(monkeypatch):
    monkeypatch.delenv("MODEL_GATE_CACHE_MEGABYTES", raising=False)
    assert most_bytes() == 1_000_000_000
    monkeypatch.setenv("MODEL_GATE_CACHE_MEGABYTES", "2.5")
    assert most_bytes() == 2_500_000


@pytest.mark.parametrize("said", ["much", "0", "-1", "inf", "nan"])
def test_a_limit_that_is_none(monkeypatch, said):
    monkeypatch.setenv("MODEL_GATE_CACHE_MEGABYTES", said)
    with pytest.raises(ConfigurationError) as caught:
        most_bytes()
    assert (caught.value.what, caught.value.remedy) == (
        f"MODEL_GATE_CACHE_MEGABYTES must be a number of megabytes above 0, got {said!r}.",
        "Write for example MODEL_GATE_CACHE_MEGABYTES=500, or unset it.",
    )


def test_every_installed_version_takes_part(tmp_path):
    for name in ("numpy-2.0.dist-info", "scipy-1.0.dist-info"):
        (tmp_path / name).mkdir()
    (tmp_path / "numpy").mkdir()
    places = (str(tmp_path), str(tmp_path / "nowhere"))
    before = installed(places)
    installed.cache_clear()
    (tmp_path / "module.py").touch()
    assert installed(places) == before
    installed.cache_clear()
    (tmp_path / "numpy-2.0.dist-info").rename(tmp_path / "numpy-2.1.dist-info")
    upgraded = installed(places)
    installed.cache_clear()
    (tmp_path / "scipy-1.0.dist-info").rmdir()
    assert len({before, upgraded, installed(places)}) == 3
    installed.cache_clear()
