"""``dvc:path@rev``: what DVC tracks, at a branch, a tag or a commit, or as the work tree says it.

Read from git and from the files that DVC writes; DVC itself is not needed. A branch or tag is pinned as its
commit. Without a rev, the hash that the work tree's ``.dvc`` file says is pinned.
"""

from __future__ import annotations

import json
import os
import posixpath
from dataclasses import replace
from pathlib import Path, PurePosixPath

from ...errors import ConfigurationError, InvalidError, UnavailableError
from ...hooks import DatasetProtocol
from ...redact import redact
from ...spec import SourceContext
from ...wording import did_you_mean, some
from ..pins import PIN_COMMAND
from .dvc_content import Content
from .dvc_outs import LEGACY, Out, find_out
from .dvc_remotes import Config, Remote, dvc_root
from .git import Repository
from .local import format_of, unknown_suffix
from .patterns import counts
from .remote import RemoteFile, RemoteFiles, fetch_one, open_remote

SCHEME = "dvc:"
_KIND = "dvc"
#: Imports of imports of imports.
_DEEPEST = 5


def open_source(source: str, context: SourceContext) -> DatasetProtocol:
    """Open what DVC tracks.

    Parameters
    ----------
    source : str
        ``dvc:path@rev``; the path starts at the context's root. A path with an ``@`` in it ends with one
        where no rev is meant.
    context : SourceContext
        Its ``pinned_versions`` say which commit, or which hash, the lock agrees to.
    """
    shown = redact(source)
    text, at, rev = source.removeprefix(SCHEME).rpartition("@")
    text, rev = (text, rev) if at else (rev, "")
    if not text.strip("/") or "://" in text or rev.startswith("-"):
        raise ConfigurationError(
            f"'{shown}' names nothing that DVC tracks in this repository.",
            "Write dvc:path, or dvc:path@rev with a branch, a tag or a commit; what another repository "
            "tracks is imported first: dvc import.",
        )
    place = Path(os.path.normpath(Path(context.root).absolute() / text))
    base = next(folder for folder in place.parents if folder.is_dir())
    repository = Repository.around(base, shown)
    # git shows the real path, and the project may be reached through a link.
    inside = _inside(place, repository)
    config = Config(dvc_root(base.resolve(), repository.top.resolve(), shown), shown)
    pinned = context.pinned_versions.get(shown, "")
    if rev:
        commit = _commit(repository, rev, pinned)
        out = find_out(repository, commit, inside)
        return _open(repository, config, out, inside, f"{SCHEME}{inside}@{commit}", commit)
    if pinned:
        out = _pinned(repository, inside, pinned)
    else:
        out = find_out(repository, "", inside)
        out, inside = _within(repository, config, out, inside)
    return _open(repository, config, out, inside, f"{SCHEME}{inside}", f"{out.kind}:{out.md5}")


def _pinned(repository: Repository, inside: str, pinned: str) -> Out:
    """Return the content with the hash that is pinned, kept where its successor in the work tree is."""
    kind, _, md5 = pinned.partition(":")
    try:
        now = find_out(repository, "", inside)
    except (UnavailableError, InvalidError):
        now = Out(path=inside, md5=md5, kind=kind)
    return replace(now, path=inside, md5=md5, kind=kind)


def _inside(place: Path, repository: Repository) -> str:
    folder = next(folder for folder in place.parents if folder.is_dir())
    full = folder.resolve() / place.relative_to(folder)
    return full.relative_to(repository.top.resolve()).as_posix()


def _commit(repository: Repository, rev: str, pinned: str) -> str:
    """Return the commit that is pinned, or that a rev means now."""
    if pinned:
        if repository.commit(pinned) == pinned:
            return pinned
        how = (
            "this clone is shallow: git fetch --unshallow"
            if repository.is_shallow()
            else f"fetch the branch that it was on, or agree to what the name means now: run {PIN_COMMAND}"
        )
        raise UnavailableError(
            f"'{repository.source}' is pinned at commit {pinned[:12]}, which is not in this clone.",
            f"{how[0].upper()}{how[1:]}.",
        )
    commit = repository.commit(rev)
    if not commit:
        if "/" in rev or format_of(rev):
            raise UnavailableError(
                f"'{repository.source}': there is no branch, tag or commit '{rev}' in this clone.",
                f"If the '@' belongs to the path, write one more at its end: {repository.source}@.",
            )
        shallow = " This clone is shallow: git fetch --unshallow." if repository.is_shallow() else ""
        names = repository.names()
        raise UnavailableError(
            f"'{repository.source}': there is no branch, tag or commit '{rev}' in this clone.",
            did_you_mean(rev, names, f"It has: {some(sorted(names))}." if names else "It has no branches.")
            + shallow,
        )
    return commit


def _open(
    repository: Repository, config: Config, out: Out, inside: str, resolved: str, version: str
) -> DatasetProtocol:
    source = repository.source
    out, inside = _within(repository, config, out, inside)
    places = _places(config, out, repository)
    if not out.is_folder:
        name = PurePosixPath(inside).name
        kind = format_of(name)
        if kind is None:
            raise unknown_suffix(source, name)
        return open_remote(
            RemoteFiles(
                source=source,
                resolved=f"{resolved} (md5 {out.md5})",
                format=kind,
                files=(_file(Content(inside, out.md5, out.kind, places, source), name, config),),
                single=True,
                version=version,
            )
        )
    listed = _listed(repository, config, out, places)
    chosen = sorted(name for name in listed if counts(name))
    if not chosen:
        raise UnavailableError(
            f"'{source}' holds no Parquet files.",
            f"It holds: {some(sorted(listed))}. Name one of them, or a folder with *.parquet in it.",
        )
    count = "1 file" if len(chosen) == 1 else f"{len(chosen):,} files"
    return open_remote(
        RemoteFiles(
            source=source,
            resolved=f"{resolved} ({count}, md5 {out.md5})",
            format="parquet",
            files=tuple(
                _file(Content(f"{inside}/{name}", listed[name], out.kind, places, source), name, config)
                for name in chosen
            ),
            single=False,
            version=version,
        )
    )


def _within(repository: Repository, config: Config, out: Out, inside: str) -> tuple[Out, str]:
    """Return the file itself where a path lies in a folder that DVC tracks as a whole."""
    if inside == out.path:
        return out, inside
    listed = _listed(repository, config, out, _places(config, out, repository))
    below = posixpath.relpath(inside, out.path)
    if below in listed:
        return replace(out, path=inside, md5=listed[below]), inside
    raise UnavailableError(
        f"'{repository.source}': the folder {out.path} that DVC tracks holds no {below}.",
        did_you_mean(below, listed, f"It holds: {some(sorted(listed))}."),
    )


def _listed(repository: Repository, config: Config, out: Out, places: tuple[Remote, ...]) -> dict[str, str]:
    """Return name -> md5 of what a tracked folder holds."""
    content = Content(f"the list of {out.path}", out.md5, out.kind, places, repository.source)
    try:
        items = json.loads(fetch_one(_file(content, "list", config)).read_bytes())
        return {str(item["relpath"]): str(item["md5"]) for item in items}
    except (ValueError, TypeError, KeyError):
        raise InvalidError(
            f"'{repository.source}': the list of {out.path} (md5 {out.md5}) is not one that DVC writes.",
            "Add the folder again: dvc add.",
        ) from None


def _places(config: Config, out: Out, repository: Repository, depth: int = 0) -> tuple[Remote, ...]:
    """Return where the content of an out may lie: the cache, the remote, and where it was imported from."""
    remote = config.remote(out.remote)
    places: tuple[Remote, ...] = (config.cache(), *([remote] if remote else []))
    if out.imported is None or "://" in out.imported.url or depth >= _DEEPEST:
        return places
    origin = Path(repository.top, posixpath.dirname(out.recorded), out.imported.url)
    if not origin.is_dir():
        return places
    # An import is kept where it came from: DVC does not push it again.
    there = Repository.around(origin, repository.source)
    original = find_out(there, out.imported.commit, out.imported.path)
    its_config = Config(dvc_root(origin.resolve(), there.top.resolve(), repository.source), repository.source)
    return (*places, *_places(its_config, original, there, depth + 1))


def _file(content: Content, name: str, config: Config) -> RemoteFile:
    # The hash of DVC 2 does not tell line ends apart: what it means depends on where it is kept.
    where = (config.cache().root.as_posix(),) if content.kind == LEGACY else ()
    return RemoteFile(name, _KIND, (content.kind, content.md5, *where), content.download)
