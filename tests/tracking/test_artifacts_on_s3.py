"""Models and verdicts whose files lie on S3: through MLflow's server, and straight from the bucket."""
# ruff: noqa: E501 - whole messages stay on one line

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from registries import Registry
from test_log import log, record

from pytest_model_gate.errors import ModelGateError
from pytest_model_gate.models.builtin import model_gate_model
from pytest_model_gate.results import Verdict
from pytest_model_gate.spec import SourceContext
from systems.mlflow_server import MlflowServer
from systems.seaweed import Bucket, Seaweed

pytestmark = [pytest.mark.mlflow_server, pytest.mark.seaweedfs]


def s3_of(seaweed: Seaweed) -> dict[str, str]:
    return {**seaweed.environment, "MLFLOW_S3_ENDPOINT_URL": seaweed.endpoint}


@pytest.fixture(scope="module")
def bucket(seaweed_server: Seaweed) -> Bucket:
    return seaweed_server.bucket(versioned=False)


@pytest.fixture(scope="module", params=["proxied", "direct"])
def on_s3(
    request: pytest.FixtureRequest,
    bucket: Bucket,
    seaweed_server: Seaweed,
    rows,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Registry]:
    """Start a server whose artifacts lie in a bucket; ``direct``: its clients go there themselves."""
    place = f"s3://{bucket.name}/{request.param}"
    direct = request.param == "direct"
    server = MlflowServer(
        tmp_path_factory.mktemp(request.param),
        artifacts=("--default-artifact-root", place, "--no-serve-artifacts")
        if direct
        else ("--artifacts-destination", place),
        environment=s3_of(seaweed_server),
    ).start()
    with pytest.MonkeyPatch.context() as patch:
        for name, value in s3_of(seaweed_server).items() if direct else ():
            patch.setenv(name, value)
        try:
            registry = Registry(server.uri, rows)
            registry.register("credit")
            yield registry
        finally:
            server.stop()


@pytest.fixture
def straight(on_s3: Registry) -> bool:
    return str(on_s3.client().get_model_version_download_uri("credit", "1")).startswith("s3:")


def says(registry: Registry, folder: Path, source: str = "models:/credit@champion") -> str:
    context = SourceContext(root=str(folder), tracking_uri=registry.uri)
    with pytest.raises(ModelGateError) as error:
        model_gate_model(source, context)
    return f"{error.value.what} {error.value.remedy}"


def test_a_model_comes_and_a_verdict_goes_there(
    on_s3: Registry, straight: bool, bucket: Bucket, tmp_path: Path
) -> None:
    context = SourceContext(root=str(tmp_path), tracking_uri=on_s3.uri)
    model = model_gate_model("models:/credit@champion", context)
    assert (model.resolved, model.predict(on_s3.rows[["a"]], "probability").shape) == (
        "models:/credit/1",
        (1500, 2),
    )
    run_id = on_s3.client().get_model_version("credit", "2").run_id
    for verdict in (Verdict.PASS, Verdict.REGRESSED):
        logged = log([record(on_s3.uri, verdict=verdict)])
        assert logged.done == (f"{verdict.value} -> version 2 of credit and run {run_id}",)
    files = [file.path for file in on_s3.client().list_artifacts(run_id, "model_gate")]
    assert files == ["model_gate/credit.json", "model_gate/credit.txt"]
    kept = bucket.client.list_objects_v2(Bucket=bucket.name, Prefix="direct/" if straight else "proxied/")
    assert [key["Key"] for key in kept["Contents"] if key["Key"].endswith("model_gate/credit.json")]


def test_an_object_that_is_not_there(on_s3: Registry, straight: bool, bucket: Bucket, tmp_path: Path) -> None:
    where = str(on_s3.client().get_model_version_download_uri("credit", "3"))
    key = where.split("/", 3)[3] if straight else f"proxied/{where.partition(':/')[2].lstrip('/')}"
    for last, said in (
        (
            "model.skops",
            "'models:/credit/3' is not whole: its file model.skops is missing. Log the model again, and register that version.",
        ),
        (
            "",
            f"'models:/credit/3' has no files at {where}. Its files were deleted or moved after it was registered: register it again.",
        ),
    ):
        for found in bucket.client.list_objects_v2(Bucket=bucket.name, Prefix=key).get("Contents", ()):
            if found["Key"].endswith(last):
                bucket.delete(found["Key"])
        assert says(on_s3, tmp_path, "models:/credit/3") == said


#: In a process of its own: boto's clients are kept with the keys that they were made with.
ASK = """
import sys, time
sys.path[:0] = sys.argv[3:]
from test_artifacts_on_s3 import record, log, model_gate_model, ModelGateError, SourceContext
begin = time.monotonic()
try:
    print(model_gate_model("models:/credit@champion", SourceContext(root=sys.argv[2], tracking_uri=sys.argv[1])).resolved)
except ModelGateError as error:
    print(error.what, error.remedy)
logged = log([record(sys.argv[1])])
print(*logged.done, *logged.failed)
print(time.monotonic() - begin)
"""


def ask(registry: Registry, folder: Path, **variables: str) -> list[str]:
    here = Path(__file__).parent
    done = subprocess.run(
        [sys.executable, "-c", ASK, registry.uri, str(folder), str(here), str(here.parent)],
        env={**os.environ, "MODEL_GATE_CACHE": str(folder / "cache"), **variables},
        capture_output=True, text=True, check=True, timeout=300,
    )  # fmt: skip
    return done.stdout.splitlines()


def test_a_wrong_key(on_s3: Registry, straight: bool, tmp_path: Path) -> None:
    loaded, logged, _ = ask(on_s3, tmp_path, AWS_SECRET_ACCESS_KEY="wrong")
    if not straight:  # only the server has a key
        assert (loaded, logged.split(" ->")[0]) == ("models:/credit/1", "pass")
        return
    said = (
        "The storage in which MLflow at {uri} has its files refused what '{source}' needs: its key is wrong or may not do that. "
        "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (or AWS_PROFILE), and MLFLOW_S3_ENDPOINT_URL to the server that knows them."
    )
    assert loaded == said.format(uri=on_s3.uri, source="models:/credit@champion")
    assert logged == f"models:/credit/2: {said.format(uri=on_s3.uri, source='models:/credit/2')}"
    assert on_s3.client().get_model_version("credit", "2").tags["model_gate.verdict"] == "being written"


def test_a_dead_s3_server(on_s3: Registry, straight: bool, unused_port: int, tmp_path: Path) -> None:
    endpoint = f"http://127.0.0.1:{unused_port}"
    loaded, logged, took = ask(on_s3, tmp_path, MLFLOW_S3_ENDPOINT_URL=endpoint)
    if not straight:
        assert (loaded, logged.split(" ->")[0]) == ("models:/credit/1", "pass")
        return
    said = (
        f"The storage {endpoint} cannot be reached, in which MLflow at {on_s3.uri} has the files of '{{source}}'. "
        "Start it, or correct MLFLOW_S3_ENDPOINT_URL."
    )
    assert loaded == said.format(source="models:/credit@champion")
    assert logged == f"models:/credit/2: {said.format(source='models:/credit/2')}"
    assert float(took) < 60  # two questions of at most 15 seconds, and what importing takes
