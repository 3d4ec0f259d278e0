"""Addresses that fsspec opens: a real HTTP server, and what has no versions there."""

import base64
import http.server
import socket
import sys
import threading
import time
from functools import partial

import pandas as pd
import pytest

from pytest_model_gate.errors import (
    ConfigurationError,
    EvaluationError,
    InvalidError,
    UnavailableError,
    UnreachableError,
)
from systems.versioned_gates import ROWS, VersionedGate, everything, findings, opened, rows


class Handler(http.server.SimpleHTTPRequestHandler):
    """Serves files; some names are answered with a status instead."""

    def do_GET(self):
        self._answer(super().do_GET)

    def do_HEAD(self):
        self._answer(super().do_HEAD)

    def _answer(self, usual):
        for status in (401, 403, 410, 429, 500):
            if f"/{status}/" in self.path:
                self.send_error(status)
                return
        allowed = "Basic " + base64.b64encode(b"me:s3cret").decode()
        if "/private/" in self.path and self.headers.get("Authorization") != allowed:
            self.send_error(401)
            return
        usual()

    def log_message(self, *args):
        pass


@pytest.fixture
def site(tmp_path):
    """A folder, and the address at which it is served."""
    folder = tmp_path / "site"
    folder.mkdir()
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield folder, f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


def fails(tmp_path, source, kind=UnavailableError):
    with pytest.raises(kind) as caught:
        opened(tmp_path, source)
    return str(caught.value)


def test_a_password_in_netrc_opens_what_was_refused(site, tmp_path, monkeypatch):
    folder, address = site
    (folder / "private").mkdir()
    rows(1).to_parquet(folder / "private" / "holdout.parquet")
    netrc = tmp_path / "netrc"
    monkeypatch.setenv("NETRC", str(netrc))
    source = f"{address}/private/holdout.parquet"
    for text in ("", "machine 127.0.0.1 login me password wrong"):
        netrc.write_text(text)
        assert fails(tmp_path, source) == (
            f"'{source}' was refused with 401.\n"
            "  Write user and password of the server into ~/.netrc (or the file that NETRC names)."
        )
    netrc.write_text("machine 127.0.0.1 login me password s3cret")
    assert opened(tmp_path, source).rows == ROWS


def test_what_was_deleted_what_is_asked_too_often_and_a_page_to_log_in(site, tmp_path):
    folder, address = site
    source = f"{address}/410/x.parquet"
    assert fails(tmp_path, source) == (
        f"'{source}' was deleted: the server says that it is gone for good (410).\n"
        "  Restore it, or name another file."
    )
    source = f"{address}/429/x.parquet"
    assert fails(tmp_path, source) == (
        f"'{source}' could not be opened: the server was asked too often (429).\n"
        "  Wait a while, and run the gate again."
    )
    (folder / "login.parquet").write_text("\n<!DOCTYPE html>\n<html>Please log in</html>")
    source = f"{address}/login.parquet"
    assert fails(tmp_path, source) == (
        f"'{source}' is a web page, and not the file that its name promises.\n"
        "  The server may want somebody to log in there: check the address and the credentials."
    )


def test_a_file_is_pinned_by_its_digest_and_refused_when_it_changed(site, tmp_path):
    folder, address = site
    rows(1).to_parquet(folder / "holdout.parquet")
    gate = VersionedGate(tmp_path, f"{address}/holdout.parquet")
    first = gate.pin()
    assert gate.pinned.version == ""
    assert first.dataset.resolved == f"{address}/holdout.parquet, of which there are no versions"
    assert gate.judge().dataset.pin == "pinned"
    changed = rows(1)
    changed.loc[ROWS - 1, "y"] = 1 - changed.loc[ROWS - 1, "y"]
    changed.to_parquet(folder / "holdout.parquet")
    record = gate.judge()
    assert record.verdict.value == "invalid"
    assert record.dataset.pin == "changed"
    assert "Same rows and columns, other content." in findings(record)[0]


def test_secrets_of_an_address_are_in_no_record(site, tmp_path):
    folder, address = site
    rows(1).to_parquet(folder / "a b.parquet")
    gate = VersionedGate(tmp_path, f"{address}/a%20b.parquet?X-Amz-Signature=s3cret&X-Amz-Expires=900")
    record = gate.pin()
    assert record.dataset.source == f"{address}/a%20b.parquet?X-Amz-Signature=***&X-Amz-Expires=***"
    assert "s3cret" not in repr(record)
    assert "s3cret" not in (tmp_path / "model-gate.lock").read_text()


@pytest.mark.parametrize("suffix", ["csv", "csv.gz", "feather", "jsonl"])
def test_every_format_is_read_by_its_name(site, tmp_path, suffix):
    folder, address = site
    frame = rows(1)[["id", "y"]]
    if suffix == "feather":
        frame.to_feather(folder / "f.feather")
    elif suffix == "jsonl":
        frame.to_json(folder / "f.jsonl", orient="records", lines=True)
    else:
        frame.to_csv(folder / f"f.{suffix}", index=False)
    dataset = opened(tmp_path, f"{address}/f.{suffix}")
    pd.testing.assert_frame_equal(everything(dataset), frame)
    assert dataset.digest == opened(tmp_path, f"site/f.{suffix}").digest


def test_files_are_kept_as_long_as_the_dataset(site, tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    folder, address = site
    rows(1).to_parquet(folder / "holdout.parquet")
    dataset = opened(tmp_path, f"{address}/holdout.parquet")
    (folder / "holdout.parquet").unlink()
    pd.testing.assert_frame_equal(everything(dataset), rows(1))
    assert len(list(tmp_path.glob("model-gate-*"))) == 1
    del dataset
    assert list(tmp_path.glob("model-gate-*")) == []


def test_what_is_refused_or_not_there(site, tmp_path):
    _, address = site
    assert fails(tmp_path, f"{address}/x.parquet") == (
        f"'{address}/x.parquet' does not exist.\n  Check the address."
    )
    for status in (401, 403):
        assert fails(tmp_path, f"{address}/{status}/x.parquet") == (
            f"'{address}/{status}/x.parquet' was refused with {status}.\n"
            "  Write user and password of the server into ~/.netrc (or the file that NETRC names)."
        )
    for status in (403, 404, 500):
        message = fails(tmp_path, f"{address}/{status}/x.parquet?token=s3cret")
        assert f"/{status}/x.parquet?token=***" in message
        assert "s3cret" not in message
    assert fails(tmp_path, f"{address}/500/x.parquet") == (
        f"'{address}/500/x.parquet' could not be opened: the server failed with 500.\n  Run the gate again."
    )
    assert fails(tmp_path, f"{address}/data/", EvaluationError) == (
        f"{address}/data/ cannot be read: a file without a suffix says nothing about what it holds.\n"
        "  Known: .parquet, .csv, .csv.gz, .feather, .arrow, .jsonl, .ndjson. For anything else write "
        "python:package.module:load."
    )


def test_a_file_that_changes_while_it_is_read(site, tmp_path, monkeypatch):
    from pytest_model_gate.data.sources import urls

    folder, address = site
    rows(1).to_parquet(folder / "holdout.parquet")
    real = urls.write_pieces

    def replaced_after(pieces, path):
        hexed = real(pieces, path)
        rows(2).to_parquet(folder / "holdout.parquet")
        return hexed

    monkeypatch.setattr(urls, "write_pieces", replaced_after)
    assert fails(tmp_path, f"{address}/holdout.parquet", InvalidError) == (
        f"'{address}/holdout.parquet' changed while it was being read.\n"
        "  Run the gate again when nothing writes to it."
    )


@pytest.mark.parametrize("state", ["refuses", "is silent"])
def test_a_dead_server(tmp_path, monkeypatch, state):
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        if state == "is silent":
            listener.listen()
            monkeypatch.setenv("MODEL_GATE_TIMEOUT", "0.3")
        host = f"127.0.0.1:{listener.getsockname()[1]}"
        start = time.monotonic()
        message = fails(tmp_path, f"http://{host}/x.parquet", UnreachableError)
        assert time.monotonic() - start < 10
    what = "did not answer within 0.3 seconds" if state == "is silent" else "cannot be reached"
    assert message.startswith(f"The server http://{host} {what}")
    assert message.endswith(
        f", so 'http://{host}/x.parquet' could not be opened.\n"
        "  Check the address and the network. MODEL_GATE_TIMEOUT sets how many seconds to wait."
    )


def test_folders_and_globs_where_they_can_be_listed(tmp_path, monkeypatch):
    """A file system that somebody registered with fsspec stands for buckets elsewhere."""
    import fsspec
    from fsspec.implementations.local import LocalFileSystem

    class Elsewhere(LocalFileSystem):
        protocol = "elsewhere"

        @classmethod
        def _strip_protocol(cls, path):
            return super()._strip_protocol(path.removeprefix("elsewhere://"))

    fsspec.register_implementation("elsewhere", Elsewhere, clobber=True)
    (tmp_path / "d" / "year=2023").mkdir(parents=True)
    (tmp_path / "d" / "_log").mkdir()
    rows(1)[:100].to_parquet(tmp_path / "d" / "year=2023" / "a.parquet")
    rows(1).to_parquet(tmp_path / "d" / "_log" / "x.parquet")
    (tmp_path / "d" / "readme.txt").write_text("no data")
    for path in ("d", "d/**/a.parquet"):
        there = opened(tmp_path, f"elsewhere://{tmp_path}/{path}")
        assert there.digest == opened(tmp_path, path).digest
        assert there.resolved == f"elsewhere://{tmp_path}/{path} (1 file, of which there are no versions)"
        assert there.rows == 100
    assert fails(tmp_path, f"elsewhere://{tmp_path}/d/*.parquet") == (
        f"elsewhere://{tmp_path}/d/*.parquet holds no Parquet files.\n  There are: _log/x.parquet, "
        "readme.txt, year=2023/a.parquet. Name one file, or a folder with *.parquet in it."
    )


def test_a_file_of_this_machine_is_not_copied(tmp_path):
    rows(1).to_parquet(tmp_path / "holdout.parquet")
    dataset = opened(tmp_path, (tmp_path / "holdout.parquet").as_uri())
    assert (dataset.source, dataset.digest) == (
        "holdout.parquet",
        opened(tmp_path, "holdout.parquet").digest,
    )


def test_addresses_that_make_no_sense(tmp_path):
    assert fails(tmp_path, "memory://x.parquet", ConfigurationError) == (
        "'memory://x.parquet' names nothing that would be there in another process.\n"
        "  Name a file, or write python:package.module:load for data that a function makes."
    )
    assert fails(tmp_path, "s3a://bucket/x.parquet", ConfigurationError) == (
        "'s3a://bucket/x.parquet' is written as Hadoop writes it.\n  Write s3://bucket/x.parquet."
    )
    assert opened(tmp_path, "warehouse://x.parquet") is None


def test_a_file_system_whose_package_is_missing(tmp_path):
    assert fails(tmp_path, "az://container/x.parquet") == (
        "'az://container/x.parquet' cannot be opened: Install adlfs to access Azure Datalake Gen2 and Azure "
        "Blob Storage.\n  Install the package that it names into the environment that runs the gate."
    )


@pytest.mark.parametrize(
    ("source", "module", "package", "extra"),
    [
        ("s3://bucket/x.parquet", "botocore", "botocore", "s3"),
        ("https://127.0.0.1/x.parquet", "fsspec", "fsspec", "fsspec"),
        ("gs://bucket/x.parquet", "fsspec.registry", "fsspec", "fsspec"),
        ("https://127.0.0.1/x.parquet", "aiohttp", "aiohttp", "fsspec"),
        ("lakefs://credit/main/x.parquet", "lakefs.client", "lakefs", "lakefs"),
    ],
)
def test_a_package_that_is_not_installed(tmp_path, monkeypatch, source, module, package, extra):
    monkeypatch.setitem(sys.modules, module, None)
    if module.startswith("fsspec"):
        monkeypatch.setitem(sys.modules, "fsspec", None)
    assert fails(tmp_path, source) == (
        f"'{source}' needs the package {package}.\n  Run: pip install 'pytest-model-gate[{extra}]'."
    )
