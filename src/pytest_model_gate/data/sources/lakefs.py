"""``lakefs://repository/ref/path``: what is committed there; a branch or a tag is pinned as its commit.

What somebody has written to a branch and not committed is not read: it can change at any time.
"""

from __future__ import annotations

from functools import partial

from ...errors import ConfigurationError, UnavailableError
from ...hooks import DatasetProtocol
from ...redact import redact
from ...spec import SourceContext
from ...wording import did_you_mean, some
from .lakefs_client import Lake, Stored
from .local import format_of, unknown_suffix
from .patterns import MAGIC, chosen, start_of
from .remote import RemoteFile, RemoteFiles, open_remote

SCHEME = "lakefs://"
_KIND = "lakefs"


def open_source(source: str, context: SourceContext) -> DatasetProtocol:
    """Open what an address of lakeFS means.

    Parameters
    ----------
    source : str
        ``lakefs://repository/ref/path``: an object, a folder or a glob of Parquet.
    context : SourceContext
        Its ``pinned_versions`` say which commit the lock agrees to.
    """
    shown = redact(source)
    repository, _, rest = source.removeprefix(SCHEME).partition("/")
    ref, _, path = rest.partition("/")
    if not (repository and ref and path.strip("/")) or "@" in repository or "?" in rest.split("/")[0]:
        raise ConfigurationError(
            f"'{shown}' names nothing in lakeFS.",
            "Write lakefs://repository/ref/path, with a branch, a tag or a commit as ref; credentials belong "
            "into LAKECTL_... variables or ~/.lakectl.yaml.",
        )
    lake = Lake(repository, shown)
    pinned = context.pinned_versions.get(shown, "")
    commit = lake.commit(pinned or ref)
    if not commit:
        raise lake.missing_ref(pinned or ref, pinned=bool(pinned))
    address = f"{SCHEME}{repository}/{commit}/{path}"
    single = None if MAGIC.search(path) or path.endswith("/") else lake.look(commit, path)
    if single:
        name = path.rpartition("/")[2]
        kind = format_of(name)
        if kind is None:
            raise unknown_suffix(shown, name)
        return open_remote(
            RemoteFiles(
                source=shown,
                resolved=address,
                format=kind,
                files=(_file(lake, commit, single, name),),
                single=True,
                version=commit,
            )
        )
    below = {stored.path: stored for stored in lake.below(commit, start_of(path))}
    start, keys = chosen(below, path)
    if not keys:
        raise _nothing(lake, commit, path, sorted(below))
    count = "1 object" if len(keys) == 1 else f"{len(keys):,} objects"
    return open_remote(
        RemoteFiles(
            source=shown,
            resolved=f"{address} ({count})",
            format="parquet",
            files=tuple(_file(lake, commit, below[key], key.removeprefix(start)) for key in keys),
            single=False,
            version=commit,
        )
    )


def _file(lake: Lake, commit: str, stored: Stored, name: str) -> RemoteFile:
    identity = (lake.endpoint, lake.repository, commit, stored.path)
    return RemoteFile(name, _KIND, identity, partial(lake.download, commit, stored))


def _nothing(lake: Lake, commit: str, path: str, held: list[str]) -> UnavailableError:
    """Return why there is nothing to read."""
    what = f"'{lake.source}' (commit {commit[:12]})"
    if held:
        names = [key.removeprefix(start_of(path)) for key in held]
        return UnavailableError(
            f"{what} holds no Parquet objects.",
            f"There are: {some(names)}. Name one object, or a folder with *.parquet in it.",
        )
    folder = path.rstrip("/").rpartition("/")[0]
    near = [stored.path for stored in lake.below(commit, f"{folder}/" if folder else "")]
    return UnavailableError(
        f"{what} does not exist: nothing of that name is committed.",
        did_you_mean(path, near, "Check the path; what lies on a branch uncommitted is not read."),
    )
