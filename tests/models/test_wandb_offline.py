"""Models of offline runs of W&B, as the real client leaves them behind."""
# ruff: noqa: E501 - whole messages stay on one line, so that they can be searched for

from __future__ import annotations

import pickle
import re
import shutil
import struct
import sys
import zlib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import skops.io
from sklearn.linear_model import LogisticRegression

from pytest_model_gate.cli import main
from pytest_model_gate.errors import (
    ConfigurationError,
    EvaluationError,
    InvalidError,
    ModelGateError,
    UnavailableError,
    UntrustedError,
)
from pytest_model_gate.models.builtin import model_gate_model
from pytest_model_gate.models.identity import sha256
from pytest_model_gate.models.wandb_offline import _copy_entry
from pytest_model_gate.spec import SourceContext
from pytest_model_gate.wandb_file import Entry, Logged, read_run
from pytest_model_gate.wording import shorten
from systems.wandb_offline import OfflineFolders

ROWS = pd.DataFrame(np.random.default_rng(3).normal(size=(50, 2)), columns=["a", "b"])
LABEL = (ROWS["a"] > ROWS["b"]).astype(int)
FITTED = LogisticRegression().fit(ROWS, LABEL)
OTHER = LogisticRegression(C=0.001).fit(ROWS, LABEL)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A run that logged a model twice, another kind of model, a table and a reference."""
    folders = OfflineFolders(tmp_path_factory.mktemp("trained"))
    for name, model in {"old": OTHER, "new": FITTED}.items():
        place = folders.root / name
        place.mkdir()
        skops.io.dump(model, place / "model.skops")
    (folders.root / "model.pkl").write_bytes(pickle.dumps(FITTED))
    (folders.root / "notes.md").write_text("about it")
    folder = folders.run(
        """
        log("scorer", "model", "old/model.skops")
        log("scorer", "model", "new/model.skops")
        log("pickled", "other", "model.pkl")
        log("several", "other", "new/model.skops", "notes.md")
        log("referred", "other", references=["s3://bucket/model.skops"])
        run.log({"scores": wandb.Table(columns=["id", "p"], data=[[i, i / 64] for i in range(5000)])})
        """
    )
    return folders.root, folder


@pytest.fixture
def opened(trained, monkeypatch):
    root, folder = trained

    def call(text="", **context):
        return model_gate_model(
            f"wandb-offline:wandb/{folder.name}{text}", SourceContext(root=str(root), **context)
        )

    return call


@pytest.fixture
def said(trained, opened):
    """What an error says, with FOLDER for the folder's name."""

    def call(text, kind=ModelGateError, **context):
        with pytest.raises(kind) as error:
            opened(text, **context)
        assert type(error.value) is kind
        return str(error.value).replace(trained[1].name, "FOLDER")

    return call


def test_the_last_model_that_a_run_logged(trained, opened):
    model = opened()
    np.testing.assert_array_equal(model.predict(ROWS, "probability"), FITTED.predict_proba(ROWS))
    assert model.digest == sha256((trained[0] / "new" / "model.skops").read_bytes())
    start = f"wandb-offline:wandb/{trained[1].name}#scorer:"
    assert re.fullmatch(re.escape(start) + r"[0-9a-f]{32} \(run team/credit/r1\)", model.resolved)
    again = "#" + model.resolved.partition("#")[2].partition(" ")[0]
    assert opened(again).digest == model.digest
    first = read_run(trained[1] / "run-r1.wandb", "x").artifacts[0]
    old = opened(f"#scorer:{first.digest}")
    np.testing.assert_array_equal(old.predict(ROWS, "probability"), OTHER.predict_proba(ROWS))
    assert old.resolved == f"{start}{first.digest} (run team/credit/r1)"


@pytest.mark.skipif(sys.platform == "win32", reason="the client makes no link there")
def test_a_link_and_the_file_itself(trained, opened):
    context = SourceContext(root=str(trained[0]))
    linked = model_gate_model("wandb-offline:wandb/latest-run", context)
    assert (linked.resolved, linked.digest) == (opened().resolved, opened().digest)
    file = model_gate_model(f"wandb-offline:wandb/{trained[1].name}/run-r1.wandb", context)
    assert file.digest == linked.digest


def test_a_table_of_an_offline_run(trained):
    context = SourceContext(root=str(trained[0]), key="id")
    for name in ("", "#scores", "#run-r1-scores"):
        source = f"predictions:wandb-offline:wandb/{trained[1].name}{name}#p"
        model = model_gate_model(source, context)
        np.testing.assert_array_equal(
            model.predict(pd.DataFrame({"id": [64, 0, 4999]}), "value"), [1.0, 0.0, 4999 / 64]
        )
        assert re.fullmatch(
            r"predictions:wandb-offline:\S+#run-r1-scores:[0-9a-f]{32} \(run team/credit/r1\)#p",
            model.resolved,
        )


def test_code_runs_only_where_somebody_said_so(trained, opened, said):
    content = (trained[0] / "model.pkl").read_bytes()
    assert said("#pickled", UntrustedError).startswith(
        "'wandb-offline:wandb/FOLDER#pickled' is not trusted: it is a pickle, and loading it would run any code that is in it.\n"
        f"  If you trust these bytes ({sha256(content)}), run: model-gate pin --trust "
    )
    assert opened("#pickled", trusted_sources=("wandb-offline:*",)).digest == sha256(content)


def test_verify(trained, monkeypatch, capsys):
    monkeypatch.chdir(trained[0])
    source = f"wandb-offline:wandb/{trained[1].name}"
    assert main(["verify", source]) == 0
    text = capsys.readouterr().out
    assert f"source     {source}\nversion    {source}#scorer:" in text
    assert "\nformat     skops\n" in text
    assert "\ntrust      needs none: it is data, and a reader of data reads it\n" in text


# --------------------------------------------------------------------------------------------- errors


def test_what_is_not_there(trained, opened, said):
    folder = trained[1]
    start = "'wandb-offline:wandb/FOLDER"
    assert said("#scorrer", UnavailableError) == (
        f"The offline run team/credit/r1 logged no artifact 'scorrer', so {start}#scorrer' could not be opened.\n"
        "  Did you mean 'scorer'?"
    )
    digests = [one.digest for one in read_run(folder / "run-r1.wandb", "x").artifacts if one.name == "scorer"]
    assert said(f"#scorer:{'0' * 32}", UnavailableError) == (
        f"The offline run team/credit/r1 logged no 'scorer' with the digest {'0' * 32}.\n  It logged: {', '.join(digests)}."
    )
    assert said("#referred", InvalidError) == (
        "The artifact 'referred' only refers to s3://bucket/model.skops, which is not in the run.\n"
        "  Log the file itself: artifact.add_file(...)."
    )
    several = said("#several", ConfigurationError)
    assert re.fullmatch(
        r"'wandb-offline:wandb/FOLDER#several' holds 2 files, and no file MLmodel: model.skops, notes.md.\n"
        r"  Say which one is the model, for example wandb-offline:wandb/FOLDER#several:[0-9a-f]{32}/model.skops.",
        several,
    )
    assert opened("#several/model.skops").digest == opened().digest
    assert said("#several/m.skops", UnavailableError) == (
        f"{start}#several/m.skops': the artifact holds no m.skops.\n  It holds: model.skops, notes.md."
    )
    assert said("x", UnavailableError) == (
        f"There is no offline run at {folder.as_posix().replace(folder.name, 'FOLDER')}x, so {start}x' could not be opened.\n"
        "  Did you mean 'FOLDER'?"
    )
    assert said("#", ConfigurationError) == (
        f"{start}#' names no offline run.\n"
        "  Write wandb-offline:wandb/offline-run-20260101_120000-abcd1234, with #artifact behind it where it logged several."
    )
    assert said("/files", InvalidError) == (
        f"{start}/files' is no folder of one run of W&B: it holds 0 files run-*.wandb.\n"
        "  Name the folder offline-run-... that wandb.init() made."
    )


def test_no_model_and_several(tmp_path):
    folders = OfflineFolders(tmp_path)
    context = SourceContext(root=str(tmp_path))
    (tmp_path / "model.skops").write_bytes(b"x")
    none = f"wandb-offline:wandb/{folders.run('pass').name}"
    with pytest.raises(UnavailableError) as error:
        model_gate_model(none, context)
    assert str(error.value) == (
        f"The offline run team/credit/r1 logged no artifact of type 'model', so '{none}' could not be opened.\n"
        "  It logged no artifact: call run.log_artifact(..., type='model') in training."
    )
    shutil.rmtree(tmp_path / "wandb")
    two = folders.run(
        """
        import wandb.sdk.interface.interface as interface
        interface.MANIFEST_FILE_SIZE_THRESHOLD = 0
        log("a", "model", "model.skops")
        log("b", "model", "model.skops")
        """
    )
    with pytest.raises(ConfigurationError) as error:
        model_gate_model(f"wandb-offline:wandb/{two.name}", context)
    assert str(error.value) == (
        "The offline run team/credit/r1 logged 2 artifacts of type 'model': a, b.\n"
        f"  Say which one, for example wandb-offline:wandb/{two.name}#a."
    )
    # Of very many files the client writes a list beside the record.
    with pytest.raises(InvalidError, match="is not a whole skops file"):
        model_gate_model(f"wandb-offline:wandb/{two.name}#a", context)
    (lists := sorted((tmp_path / "data").rglob("*.jl.gz")))[0].write_bytes(lists[0].read_bytes()[:-9])
    with pytest.raises(InvalidError) as error:
        model_gate_model(f"wandb-offline:wandb/{two.name}#a", context)
    assert str(error.value) == (
        f"The list of the files of 'a' is missing or damaged at {lists[0].as_posix()}, so 'wandb-offline:wandb/{two.name}#a' could not be opened.\n"
        "  Log the artifact again."
    )


def staged_file(trained, digest):
    (found,) = [
        entry.staged
        for one in read_run(trained[1] / "run-r1.wandb", "x").artifacts
        if one.digest == digest
        for entry in one.entries
    ]
    return Path(found)


def test_staged_files_that_changed_or_are_gone(trained, opened, said):
    path = staged_file(trained, opened().resolved.partition("#scorer:")[2][:32])
    content = path.read_bytes()
    path.chmod(0o600)
    path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    assert said("", InvalidError) == (
        f"The file model.skops of the artifact 'scorer' is damaged at {path}: its md5 is not the one that the run noted.\n"
        "  Log the artifact again."
    )
    path.unlink()
    try:
        assert said("", UnavailableError) == (
            f"The file model.skops of the artifact 'scorer' is not where the client staged it: {path}, so 'wandb-offline:wandb/FOLDER' could not be opened.\n"
            "  Once a run is synced the server has it: wandb:entity/project/run-id. On another machine, copy WANDB_DATA_DIR with the run, to the same path."
        )
    finally:
        path.write_bytes(content)


@pytest.fixture
def damaged(trained, tmp_path):
    """Open a run whose file has other bytes."""

    def call(change, kind):
        folder = tmp_path / "offline-run-x"
        folder.mkdir(exist_ok=True)
        (folder / "run-r1.wandb").write_bytes(change((trained[1] / "run-r1.wandb").read_bytes()))
        with pytest.raises(kind) as error:
            model_gate_model("wandb-offline:offline-run-x", SourceContext(root=str(tmp_path)))
        assert type(error.value) is kind
        return str(error.value)

    return call


_AGAIN = "  It was killed, it still writes, or its copy is damaged: wait until it ends, copy it again or train again."
_OPEN = "so 'wandb-offline:offline-run-x' could not be opened.\n"


def test_a_file_that_is_cut_off_at_any_byte(trained, damaged):
    length = len((trained[1] / "run-r1.wandb").read_bytes())
    for end in [*range(8, length, 97), length - 1]:
        text = damaged(lambda content, end=end: content[:end], InvalidError)
        assert "has no end" in text or re.fullmatch(
            rf"The offline run run-r1\.wandb ends in the middle of a record \(byte [\d,]+\), {_OPEN}{re.escape(_AGAIN)}",
            text,
        )
    assert text.startswith("The offline run run-r1.wandb ends in the middle")


def records(content):
    """Yield where each record starts, its length and its kind."""
    place = 7
    while place + 7 <= len(content):
        left = 32768 - place % 32768
        if left < 7:
            place += left
            continue
        _, length, kind = struct.unpack("<IHB", content[place : place + 7])
        yield place, length, kind
        place += 7 + length


def test_a_run_without_an_end(damaged):
    def cut(content):
        return content[: list(records(content))[-1][0]]

    assert damaged(cut, InvalidError) == (
        "The offline run run-r1.wandb has no end: it was killed, or it still writes, so 'wandb-offline:offline-run-x' was not opened.\n"
        "  Wait until it ends, or train again."
    )


def test_a_file_with_another_byte(damaged):
    def flip(content):
        place, length, _ = list(records(content))[3]
        middle = place + 7 + length // 2
        return content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]

    assert re.fullmatch(
        rf"The offline run run-r1\.wandb has a record with a wrong checksum \(byte [\d,]+\), {_OPEN}{re.escape(_AGAIN)}",
        damaged(flip, InvalidError),
    )


def test_a_record_without_its_parts_and_one_that_is_none(damaged):
    def record(kind, content):
        return struct.pack("<IHB", zlib.crc32(bytes([kind]) + content), len(content), kind) + content

    head = b":W&B\xe1\xbe\0"
    assert "has a record without its other parts (byte 15)" in damaged(
        lambda _: head + record(3, b"x"), InvalidError
    )
    unknown = damaged(lambda _: head + record(1, b"\xff"), EvaluationError)
    assert re.fullmatch(
        rf"wandb [\d.]+ does not know the format of run-r1\.wandb, {_OPEN}  Install the version of wandb that wrote it\.",
        unknown,
    )
    assert damaged(lambda _: head[:-1] + b"\1", EvaluationError) == unknown
    assert damaged(lambda _: head, EvaluationError) == unknown
    assert damaged(lambda _: b"hello, world", InvalidError) == (
        f"run-r1.wandb is no file of a run of W&B, {_OPEN}  Name the folder offline-run-... that wandb.init() made."
    )


@pytest.mark.parametrize(
    "path", ["../x.skops", "/x.skops", "a/../../x.skops", "..\\x.skops", "C:x.skops", "x\0.skops", ""]
)
def test_a_file_that_leads_out_of_the_folder(path, tmp_path):
    entry = Entry(path, "", str(tmp_path / "staged"))
    (tmp_path / "place").mkdir()
    with pytest.raises(InvalidError) as error:
        _copy_entry(entry, Logged("scorer", "model", "", (entry,)), tmp_path / "place", "x")
    assert str(error.value) == (
        f"The artifact 'scorer' has a file {shorten(path)!r}, which leads out of its folder.\n"
        "  Find out who wrote it, and log it again."
    )


def test_without_the_package(opened, said, monkeypatch):
    monkeypatch.setitem(sys.modules, "wandb", None)
    monkeypatch.setitem(sys.modules, "wandb.proto.wandb_internal_pb2", None)
    assert said("", UnavailableError) == (
        "'wandb-offline:wandb/FOLDER' needs the package wandb.\n  Run: pip install 'pytest-model-gate[wandb]'."
    )
