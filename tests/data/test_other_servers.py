"""Addresses of servers of another kind: a web server's 404 is no deleted version and no missing run."""

# ruff: noqa: E501 - whole messages stay on one line, so that they can be searched for

from __future__ import annotations

import os
import re
import subprocess
import sys
from types import MappingProxyType

import pytest

from pytest_model_gate.errors import EvaluationError, ModelGateError, UnavailableError
from systems.versioned_gates import opened


@pytest.fixture(scope="module")
def web(tmp_path_factory):
    """A plain web server, in a process of its own: deltalake waits without letting others run."""
    command = [sys.executable, "-u", "-m", "http.server", "0", "--bind", "127.0.0.1"]
    folder = tmp_path_factory.mktemp("web")
    (folder / "b").mkdir()
    (folder / "b" / "there.parquet").write_bytes(b"no matter")
    server = subprocess.Popen(
        command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, encoding="utf-8"
    )
    try:
        found = re.search(r"http://127\.0\.0\.1:\d+", server.stdout.readline())
        yield found[0]
    finally:
        server.kill()
        server.wait(20)
        server.stdout.close()


@pytest.fixture
def address(web, monkeypatch, tmp_path):
    """Point every kind of server at it."""
    settings = {
        "AWS_ACCESS_KEY_ID": "a",
        "AWS_SECRET_ACCESS_KEY": "b",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_ENDPOINT_URL": web,
        "LAKECTL_CREDENTIALS_ACCESS_KEY_ID": "a",
        "LAKECTL_CREDENTIALS_SECRET_ACCESS_KEY": "b",
        "LAKECTL_SERVER_ENDPOINT_URL": web,
        "MLFLOW_TRACKING_URI": web,
        "PYICEBERG_CATALOG__LAKE__URI": web,
        "PYICEBERG_CATALOG__LAKE__TYPE": "rest",
        "WANDB_API_KEY": "a" * 40,
        "WANDB_BASE_URL": web,
        "WANDB_DIR": str(tmp_path),
        "WANDB_CACHE_DIR": str(tmp_path),
        "WANDB_CONFIG_DIR": str(tmp_path),
        "MODEL_GATE_CACHE": str(tmp_path / "cache"),
    }
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    return web


def said(root, source, kind, **context):
    with pytest.raises(ModelGateError) as error:
        opened(root, source, **context)
    assert type(error.value) is kind
    return str(error.value)


SETTING = "AWS_ENDPOINT_URL (or endpoint_url of your AWS profile)"


@pytest.mark.parametrize(
    "source",
    ["s3://b/x.parquet", "s3://b/x.parquet?versionId=abc", "s3://b/folder/", "s3://b/*.parquet"],
)
@pytest.mark.parametrize("pinned", [False, True])
def test_s3(tmp_path, address, source, pinned):
    versions = MappingProxyType({source: "abc"} if pinned and "*" not in source else {})
    how = "with something else" if source.endswith(("/", "*.parquet")) else "with 404"
    assert said(tmp_path, source, UnavailableError, pinned_versions=versions) == (
        f"{address} answered {how} and not as S3 does, so '{source}' could not be opened.\n"
        f"  Another kind of server may listen there: correct {SETTING}."
    )


def test_s3_where_the_path_is_there(tmp_path, address):
    assert said(tmp_path, "s3://b/there.parquet", UnavailableError) == (
        f"{address} answered without an ETag and not as S3 does, so 's3://b/there.parquet' could not be opened.\n"
        f"  Another kind of server may listen there: correct {SETTING}."
    )


@pytest.mark.parametrize(
    ("source", "kind", "what", "remedy"),
    [
        (
            "delta:s3://nope/t",
            UnavailableError,
            "{address} answered with a web page and not as S3 does, so '{source}' could not be opened.",
            "Correct AWS_ENDPOINT_URL: another kind of server listens there.",
        ),
        (
            "lakefs://repo/main/x.parquet",
            UnavailableError,
            "{address} answered with 404 and not as lakeFS does, so '{source}' could not be opened.",
            "Another kind of server may listen there: correct LAKECTL_SERVER_ENDPOINT_URL (or ~/.lakectl.yaml).",
        ),
        (
            "iceberg:lake.credit.holdout",
            UnavailableError,
            "The Iceberg catalog 'lake' at {address} did not answer as a catalog does, so '{source}' could not "
            "be opened.",
            "Another kind of server may listen there: correct its entry in .pyiceberg.yaml or "
            "PYICEBERG_CATALOG__LAKE__...",
        ),
        (
            "mlflow-dataset:0123456789abcdef0123456789abcdef/holdout",
            EvaluationError,
            "{address} does not answer as an MLflow server does, so '{source}' could not be opened.",
            "Check MLFLOW_TRACKING_URI.",
        ),
        (
            "wandb:me/credit/holdout:latest",
            UnavailableError,
            "{address} answered with a web page and not as W&B does, so '{source}' could not be opened.",
            "Correct WANDB_BASE_URL: another kind of server listens there.",
        ),
        (
            "{address}/x.parquet",
            UnavailableError,
            "'{source}' does not exist.",
            "Check the address.",
        ),
    ],
)
def test_other_sources(tmp_path, address, source, kind, what, remedy):
    source = source.format(address=address)
    expected = what.format(address=address, source=source)
    assert said(tmp_path, source, kind) == f"{expected}\n  {remedy}"
