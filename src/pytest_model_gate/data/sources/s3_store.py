"""One bucket of an S3 server: what an object is now, which there are, and the bytes of one version.

boto's own client, with limits on how long it waits. Credentials, profiles, regions and the server come from
where boto takes them: the environment and ``~/.aws``.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Any, TypeVar

from ...errors import InvalidError
from ...waiting import download_seconds, seconds, within
from .extras import missing_package
from .remote import write_pieces
from .s3_errors import Place, explain, no_s3

T = TypeVar("T")

_PIECE = 1 << 20
#: Each question is asked twice at most.
_ATTEMPTS = 2
_CONNECTIONS = 10


@dataclass(frozen=True, slots=True)
class Found:
    """One object as it is now.

    Parameters
    ----------
    key, etag, size
        Of the object.
    version : str
        Its version. Empty: the bucket keeps none, so whoever writes next replaces these bytes.
    """

    key: str
    version: str
    etag: str
    size: int


class Bucket:
    """A bucket.

    Parameters
    ----------
    name : str
        Of the bucket.
    source : str
        What the user wrote, without secrets; errors name it.
    endpoint, region, profile : str
        Empty: as boto finds them.
    setting : str
        What the user changes to change the server.
    credentials : tuple of str, optional
        Access key, secret and token. ``None``: as boto finds them.
    prefixes : tuple of str
        Sources that begin so ask the same server.
    """

    def __init__(
        self,
        name: str,
        source: str,
        *,
        endpoint: str = "",
        region: str = "",
        profile: str = "",
        setting: str = "AWS_ENDPOINT_URL (or endpoint_url of your AWS profile)",
        credentials: tuple[str, str, str] | None = None,
        prefixes: tuple[str, ...] = ("s3://",),
    ) -> None:
        self.name, self.source = name, source
        self._endpoint, self._region, self._profile = endpoint, region, profile
        self._setting, self._credentials, self._prefixes = setting, credentials, prefixes

    @cached_property
    def place(self) -> Place:
        """What errors say of this bucket."""
        endpoint = str(self._asking.meta.endpoint_url)
        return Place(self.source, self.name, self._setting, endpoint, self._prefixes)

    @property
    def endpoint(self) -> str:
        """The server's address."""
        return self.place.endpoint

    @cached_property
    def _asking(self) -> Any:
        return self._client(seconds())

    @cached_property
    def _downloading(self) -> Any:
        return self._client(download_seconds())

    def _client(self, read_timeout: float) -> Any:
        try:
            import botocore.session
            from botocore.config import Config
            from botocore.exceptions import BotoCoreError
        except ImportError:
            raise missing_package(self.source, "botocore", "s3") from None
        given = self._credentials or (None, None, None)
        try:
            session = botocore.session.Session(profile=self._profile or None)
            return session.create_client(
                "s3",
                endpoint_url=self._endpoint or None,
                region_name=self._region or session.get_config_variable("region") or "us-east-1",
                aws_access_key_id=given[0],
                aws_secret_access_key=given[1],
                aws_session_token=given[2] or None,
                config=Config(
                    connect_timeout=seconds(),
                    read_timeout=read_timeout,
                    retries={"mode": "standard", "total_max_attempts": _ATTEMPTS},
                    max_pool_connections=_CONNECTIONS,
                ),
            )
        except (BotoCoreError, ValueError) as error:
            place = Place(self.source, self.name, self._setting, self._endpoint, self._prefixes)
            raise explain(error, place) from None

    def _ask(self, question: Callable[[Any], T]) -> T:
        """Ask, and wait for twice the limit in all.

        boto by itself adds pauses, and waits for each address of a server that has several.
        """
        client = self._asking
        return within(_ATTEMPTS * seconds(), lambda: question(client))

    def look(self, key: str, version: str = "") -> Found:
        """Return what an object is now, or what a version of it is.

        Raises
        ------
        ModelGateError
            If there is none, or nobody answers.
        """
        place = self.place  # which says so where boto isn't installed
        from botocore.exceptions import ClientError

        asked = {"Bucket": self.name, "Key": key, **({"VersionId": version} if version else {})}

        def question(client: Any) -> Any:
            try:
                return client.head_object(**asked)
            except ClientError:
                # The answer to HEAD has no body, so it never says why: GET does.
                said = client.get_object(**asked)
                said["Body"].close()
                return said

        try:
            said = self._ask(question)
        except _trouble() as error:
            raise explain(error, place, key=key, version=version) from None
        if "ETag" not in said or "ContentLength" not in said:
            raise no_s3(place, "without an ETag")
        kept = said.get("VersionId", "")
        # "null" is what a bucket has that kept versions only later, or no longer: the next write replaces it.
        return Found(key, "" if kept == "null" else kept, said["ETag"], int(said["ContentLength"]))

    def keys(self, prefix: str) -> Iterator[str]:
        """Yield the keys below a prefix."""
        place = self.place
        after: dict[str, str] = {}
        while True:
            asked = {"Bucket": self.name, "Prefix": prefix, **after}
            try:
                page = self._ask(partial(_listed, asked))
            except _trouble() as error:
                raise explain(error, place, key=prefix) from None
            yield from (item["Key"] for item in page.get("Contents", ()))
            if not page.get("IsTruncated"):
                return
            after = {"ContinuationToken": page["NextContinuationToken"]}

    def near(self, key: str) -> list[str]:
        """Return keys and folders beside a key, for a suggestion; none where nobody may list them."""
        prefix = key.rstrip("/").rpartition("/")[0]
        try:
            start = f"{prefix}/" if prefix else ""
            asked = {"Bucket": self.name, "Prefix": start, "Delimiter": "/", "MaxKeys": 1000}
            page = self._ask(partial(_listed, asked))
        except _trouble():
            return []
        return [
            *(item["Key"] for item in page.get("Contents", ())),
            *(item["Prefix"] for item in page.get("CommonPrefixes", ())),
        ]

    def download(self, found: Found, path: Path, *more: hashlib._Hash) -> str:
        """Write the bytes of an object to a new file, and return their sha256 in hex.

        They are those of the version that was found, or, where there is none, the same bytes that were found.
        """
        which = {"VersionId": found.version} if found.version else {"IfMatch": found.etag}
        try:
            said = self._downloading.get_object(Bucket=self.name, Key=found.key, **which)
            hexed = write_pieces(said["Body"].iter_chunks(_PIECE), path, *more)
        except _trouble() as error:
            raise explain(
                error, self.place, key=found.key, version=found.version, limit=download_seconds()
            ) from None
        if path.stat().st_size != found.size:
            raise InvalidError(
                f"'{self.source}' gave {path.stat().st_size:,} bytes of {found.key}, and had said "
                f"{found.size:,}.",
                "Run the gate again when nothing writes to it.",
            )
        return hexed


def _trouble() -> tuple[type[Exception], ...]:
    """Return what a question raises; boto follows the redirections of a web server without end."""
    from botocore.exceptions import BotoCoreError, ClientError

    return BotoCoreError, ClientError, TimeoutError, RecursionError


def _listed(asked: dict[str, Any], client: Any) -> Any:
    return client.list_objects_v2(**asked)
