"""The official lakeFS client with limits on how long it waits, and its errors as plain sentences.

The client has none of its own: a server that accepts and says nothing would be waited for without end.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...errors import EvaluationError, InvalidError, ModelGateError, UnavailableError, UnreachableError
from ...redact import redact
from ...waiting import VARIABLE, download_seconds, seconds, shown_seconds, within
from ...wording import did_you_mean, first_line, shorten, some
from ..pins import PIN_COMMAND
from .extras import missing_package
from .remote import write_pieces

_PIECE = 8 << 20
_PAGE = 1000
_SETTING = "LAKECTL_SERVER_ENDPOINT_URL (or ~/.lakectl.yaml)"
_CREDENTIALS = "LAKECTL_CREDENTIALS_ACCESS_KEY_ID and LAKECTL_CREDENTIALS_SECRET_ACCESS_KEY"


@dataclass(frozen=True, slots=True)
class Stored:
    """One object of a commit."""

    path: str
    size: int


class Lake:
    """One repository of a lakeFS server, read at commits only.

    Parameters
    ----------
    repository : str
        Its name.
    source : str
        What the user wrote, without secrets; errors name it.
    """

    def __init__(self, repository: str, source: str) -> None:
        self.repository, self.source = repository, source
        try:
            from lakefs.client import Client
            from lakefs.exceptions import NoAuthenticationFound
            from lakefs_sdk.client import LakeFSClient
        except ImportError:
            raise missing_package(source, "lakefs", "lakefs") from None
        self.endpoint = ""
        try:
            client = self._ask(Client)
        except NoAuthenticationFound:
            raise UnavailableError(
                f"There are no credentials to open '{source}' with.",
                f"Set {_CREDENTIALS}, and LAKECTL_SERVER_ENDPOINT_URL, or write ~/.lakectl.yaml.",
            ) from None
        # It reads the number of tries when it is made, and offers no way to say it before.
        client.config.retries = 0
        self._sdk: Any = LakeFSClient(client.config)
        self.endpoint = str(client.config.host).removesuffix("/api/v1")
        if not self.endpoint.strip("/"):
            raise UnavailableError(
                f"Nothing says which lakeFS server '{source}' is on.",
                "Set LAKECTL_SERVER_ENDPOINT_URL, or server.endpoint_url in ~/.lakectl.yaml.",
            )

    def commit(self, ref: str) -> str:
        """Return the commit that a branch, a tag or another expression means; empty where there is none."""
        from lakefs_sdk.exceptions import NotFoundException

        try:
            return str(self._call(self._sdk.commits_api.get_commit, self.repository, ref).id)
        except NotFoundException:
            return ""

    def missing_ref(self, ref: str, *, pinned: bool) -> ModelGateError:
        """Return why a ref means nothing."""
        from lakefs_sdk.exceptions import NotFoundException

        try:
            self._call(self._sdk.repositories_api.get_repository, self.repository)
        except NotFoundException:
            return UnavailableError(
                f"There is no repository '{shorten(self.repository)}' at {redact(self.endpoint)}.",
                f"Check the address and {_SETTING}.",
            )
        if pinned:
            return UnavailableError(
                f"'{self.source}' is pinned at commit {ref[:12]}, which is not at {redact(self.endpoint)}.",
                f"The repository was made anew, or it is another server ({_SETTING}). Agree to what is there "
                f"now: run {PIN_COMMAND}.",
            )
        names = [
            str(item.id)
            for listed in (self._sdk.branches_api.list_branches, self._sdk.tags_api.list_tags)
            for item in self._call(listed, self.repository, amount=_PAGE).results
        ]
        return UnavailableError(
            f"'{self.source}': the repository has no branch, tag or commit '{shorten(ref)}'.",
            did_you_mean(ref, names, f"It has: {some(sorted(names))}."),
        )

    def look(self, commit: str, path: str) -> Stored | None:
        """Return an object of a commit, or ``None``."""
        from lakefs_sdk.exceptions import NotFoundException

        try:
            said = self._call(self._sdk.objects_api.stat_object, self.repository, commit, path, presign=False)
        except NotFoundException:
            return None
        return Stored(path, int(said.size_bytes or 0))

    def below(self, commit: str, prefix: str) -> Iterator[Stored]:
        """Yield all objects of a commit whose paths begin so."""
        after = ""
        while True:
            page = self._call(
                self._sdk.objects_api.list_objects,
                self.repository,
                commit,
                prefix=prefix,
                after=after,
                amount=_PAGE,
                delimiter="",
                presign=False,
            )
            yield from (Stored(item.path, int(item.size_bytes or 0)) for item in page.results)
            if not page.pagination.has_more:
                return
            after = page.pagination.next_offset

    def download(self, commit: str, stored: Stored, target: Path) -> str:
        """Write an object to a new file and return the sha256 of its bytes in hex."""

        def pieces() -> Iterator[bytes]:
            for start in range(0, stored.size, _PIECE):
                end = min(start + _PIECE, stored.size) - 1
                piece = self._call(
                    self._sdk.objects_api.get_object,
                    self.repository,
                    commit,
                    stored.path,
                    range=f"bytes={start}-{end}",
                    presign=False,
                    limit=download_seconds(),
                )
                if len(piece) != end - start + 1:
                    raise InvalidError(
                        f"lakefs://{self.repository}/{commit}/{stored.path} is not as long as lakeFS says: "
                        f"{stored.size:,} bytes.",
                        "The object is damaged in the storage behind lakeFS: restore it.",
                    )
                yield bytes(piece)

        return write_pieces(pieces(), target)

    def _call(self, function: Callable[..., Any], *arguments: Any, limit: float = 0.0, **keys: Any) -> Any:
        timeout = (seconds(), limit or seconds())
        return self._ask(lambda: function(*arguments, **keys, _request_timeout=timeout), limit)

    def _ask(self, call: Callable[[], Any], limit: float = 0.0) -> Any:
        """Ask, at most for twice the limit: connecting has one, and the answer."""
        from lakefs.exceptions import NoAuthenticationFound
        from lakefs_sdk.exceptions import NotFoundException

        try:
            return within(2 * (limit or seconds()), call)
        except (ModelGateError, NoAuthenticationFound):
            raise
        except NotFoundException as error:
            if _says(error) is None:
                raise UnavailableError(
                    f"{redact(self.endpoint)} answered with 404 and not as lakeFS does, so '{self.source}' "
                    "could not be opened.",
                    f"Another kind of server may listen there: correct {_SETTING}.",
                ) from None
            raise
        except Exception as error:  # noqa: BLE001 - its own, urllib3's and pydantic's
            raise self._explained(error) from None

    def _explained(self, error: Exception) -> ModelGateError:
        server = f"The lakeFS server {redact(self.endpoint)}"
        status = getattr(error, "status", None)
        # Those of urllib3 come through as they are.
        unanswered = isinstance(error, OSError) or type(error).__module__.startswith("urllib3.")
        if unanswered and not status:
            silent = isinstance(error, TimeoutError) or "timed out" in str(error)
            what = f"did not answer within {shown_seconds()}" if silent else "cannot be reached"
            return UnreachableError(
                f"{server} {what}, so '{self.source}' could not be opened.",
                f"Start it, or correct {_SETTING}. {VARIABLE} sets how many seconds to wait.",
                prefixes=("lakefs://",),
            )
        if status in (401, 403):
            why = "it does not know the credentials" if status == 401 else "they may not read it"
            return UnavailableError(
                f"{server} refused to open '{self.source}': {why}.",
                f"Correct {_CREDENTIALS}, or let them read the repository '{shorten(self.repository)}'.",
            )
        if status == 410:
            return UnavailableError(
                f"{server} no longer has the bytes of '{self.source}': they were garbage collected.",
                f"Restore them, or agree to what is there now: run {PIN_COMMAND}.",
            )
        if isinstance(status, int) and status >= 500:
            return UnavailableError(
                f"{server} failed with {status} while it was asked for '{self.source}'.",
                "Look at the server's log, and run the gate again.",
            )
        return EvaluationError(
            f"{server} could not open '{self.source}': {_told(error)}.", f"Check the address and {_SETTING}."
        )


def _told(error: Exception) -> str:
    """Return what an answer of lakeFS says, or an exception."""
    said = _says(error)
    return shorten(f"{type(error).__name__}: {first_line(error)}", 160) if said is None else said


def _says(error: Exception) -> str | None:
    """Return the message that every error of lakeFS has; ``None`` where it is no answer of lakeFS."""
    try:
        return shorten(redact(str(json.loads(getattr(error, "body", ""))["message"])), 120)
    except (ValueError, TypeError, KeyError):
        return None
