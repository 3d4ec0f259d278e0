"""What an S3 address means: bucket, key and version."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import parse_qsl

from ...errors import ConfigurationError
from ...redact import redact
from .patterns import MAGIC

SCHEME = "s3://"
_FORM = "Write s3://bucket/key.parquet, s3://bucket/key.parquet?versionId=..., or s3://bucket/folder/."
_QUERY = re.compile(r"\?(?=[A-Za-z-]+=)")


@dataclass(frozen=True, slots=True)
class Address:
    """A bucket, a key (or prefix, or pattern) and, where it was written, a version."""

    bucket: str
    key: str
    version: str = ""

    @property
    def text(self) -> str:
        """The address without a version."""
        return f"{SCHEME}{self.bucket}/{self.key}"


def parse(source: str) -> Address:
    """Read an address as a user writes it.

    Examples
    --------
    >>> parse("s3://credit/data/holdout.parquet?versionId=abc")
    Address(bucket='credit', key='data/holdout.parquet', version='abc')
    >>> parse("s3://credit/data/part-?.parquet")
    Address(bucket='credit', key='data/part-?.parquet', version='')
    """
    path, *query = _QUERY.split(source.removeprefix(SCHEME), maxsplit=1)
    bucket, _, key = path.partition("/")
    if "@" in bucket or ":" in bucket:
        raise ConfigurationError(
            f"'{redact(source)}' holds credentials or a port.",
            "Let AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (or a profile) hold the credentials, and "
            "AWS_ENDPOINT_URL the server; the address begins with the bucket.",
        )
    if not bucket or not key.strip("/"):
        raise ConfigurationError(f"'{redact(source)}' names no object.", _FORM)
    said = dict(parse_qsl(query[0], keep_blank_values=True)) if query else {}
    version = said.pop("versionId", "")
    if said or (query and not version):
        raise ConfigurationError(
            f"'{redact(source)}' was not understood: only versionId may stand behind the '?'.", _FORM
        )
    if version == "null":
        raise ConfigurationError(
            f"'{redact(source)}' gives no version: what S3 calls null is replaced by the next write.",
            "Leave versionId out; the digest then protects.",
        )
    if version and MAGIC.search(key):
        raise ConfigurationError(
            f"'{redact(source)}' gives one version to many objects.",
            "Leave versionId out: `model-gate pin` then pins the version that each of them has now.",
        )
    return Address(bucket, key, version)
