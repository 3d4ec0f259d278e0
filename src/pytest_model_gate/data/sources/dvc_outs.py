"""What ``.dvc`` files and ``dvc.lock`` say of a path: the hash of its content. DVC is not imported.

A path is an out itself, or lies in a folder that is one. Outs stand in ``NAME.dvc`` beside them, in any other
``.dvc`` file, or in the ``dvc.lock`` of a pipeline, whose ``dvc.yaml`` may give a stage another folder.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ...errors import InvalidError, UnavailableError
from ...wording import did_you_mean, shorten, some
from .git import Repository

#: A field of an out that holds a hash, and what it is a hash of.
LEGACY = "md5-dos2unix"


@dataclass(frozen=True, slots=True)
class Import:
    """Where an import comes from."""

    url: str
    commit: str
    path: str


@dataclass(frozen=True, slots=True)
class Out:
    """One thing that DVC tracks.

    Parameters
    ----------
    path : str
        From the top of the git repository.
    md5 : str
        Of its content, in hex; of a folder, the md5 of the list of its files, with ``.dir`` behind it.
    kind : {"md5", "md5-dos2unix"}
        The second is what DVC 2 wrote: in text files, line ends of Windows count as those of Unix.
    remote : str
        Name of the remote that it is kept in. Empty: the default one.
    recorded : str
        Name of the file that says so.
    imported : Import, optional
        Where it was imported from, which is then where it is kept.
    """

    path: str
    md5: str
    kind: str
    remote: str = ""
    recorded: str = ""
    imported: Import | None = None

    @property
    def is_folder(self) -> bool:
        """Whether it is a folder."""
        return self.md5.endswith(".dir")


def find_out(repository: Repository, commit: str, path: str) -> Out:
    """Return the out that a path is, or that it lies in.

    Parameters
    ----------
    repository : Repository
        Where to look.
    commit : str
        At which commit. Empty: in the work tree.
    path : str
        From the top of the repository.

    Raises
    ------
    UnavailableError
        If DVC does not track it there.
    InvalidError
        If what is recorded cannot be read, or says two things.
    """
    files = repository.files(commit)
    recorders = [name for name in files if name.endswith(".dvc") or _base(name) == "dvc.lock"]
    contents = repository.read(commit, recorders)
    parts = [part.encode("utf-8", "surrogateescape") for part in path.split("/")]
    known: list[Out] = []
    for name, content in contents.items():
        # Reading YAML is slow, and a project may have hundreds of these.
        if b"\\" in content or any(part in content for part in parts):
            known += _outs(repository, commit, name, content)
    found = [out for out in known if path == out.path or path.startswith(out.path + "/")]
    if len({(out.md5, out.kind, out.path) for out in found}) > 1:
        raise InvalidError(
            f"'{repository.source}' is tracked twice: by {some(sorted({out.recorded for out in found}))}.",
            "Let one of them track it: dvc remove the other.",
        )
    if found:
        return found[0]
    raise _untracked(repository, commit, path, files, contents)


def _untracked(
    repository: Repository, commit: str, path: str, files: list[str], contents: Mapping[str, bytes]
) -> UnavailableError:
    when = f"at commit {commit[:12]}" if commit else "in the work tree"
    if path in files:
        return UnavailableError(
            f"'{repository.source}': {path} is a file of git {when}, and DVC does not track it.",
            f"Write {path} itself, or let DVC track it: dvc add {path}.",
        )
    known = [
        out.path for name, content in contents.items() for out in _outs(repository, commit, name, content)
    ]
    return UnavailableError(
        f"'{repository.source}': DVC does not track {path} {when}.",
        did_you_mean(
            path, known, f"It tracks: {some(sorted(known))}." if known else "It tracks nothing there."
        ),
    )


def _outs(repository: Repository, commit: str, name: str, content: bytes) -> Iterator[Out]:
    """Yield the outs of one ``.dvc`` file or ``dvc.lock``."""
    plain = _yaml(repository, name, content)
    folder = posixpath.dirname(name)
    if name.endswith(".dvc"):
        folder = posixpath.join(folder, str(plain.get("wdir") or ""))
        for said in _tables(plain.get("outs")):
            yield from _out(said, folder, name, _imported(plain))
        return
    stages = plain.get("stages", {} if "schema" in plain else plain)
    stages = stages if isinstance(stages, dict) else {}
    if not any(isinstance(stage, dict) and stage.get("outs") for stage in stages.values()):
        return
    beside = posixpath.join(folder, "dvc.yaml")
    declared = repository.read(commit, [beside]).get(beside, b"")
    wanted = _yaml(repository, beside, declared).get("stages") if declared else {}
    for stage, said_of_it in stages.items():
        if isinstance(said_of_it, dict):
            there = posixpath.join(folder, _wdir(wanted, str(stage)))
            for said in _tables(said_of_it.get("outs")):
                yield from _out(said, there, name, None)


def _out(said: Mapping[str, Any], folder: str, recorded: str, imported: Import | None) -> Iterator[Out]:
    md5, path = said.get("md5"), said.get("path")
    if not isinstance(md5, str) or not isinstance(path, str) or not _is_md5(md5):
        return  # of another hash, or outside of the repository
    kind = "md5" if said.get("hash") == "md5" else LEGACY
    remote = said.get("remote")
    yield Out(
        path=posixpath.normpath(posixpath.join(folder, path)),
        md5=md5,
        kind=kind,
        remote=remote if isinstance(remote, str) else "",
        recorded=recorded,
        imported=imported,
    )


def _is_md5(text: str) -> bool:
    hexed = text.removesuffix(".dir")
    return len(hexed) == 32 and all(c in "0123456789abcdef" for c in hexed)


def _imported(plain: Mapping[str, Any]) -> Import | None:
    """Return where the outs of a ``.dvc`` file were imported from, if that is another repository."""
    for said in _tables(plain.get("deps")):
        repo = said.get("repo")
        if isinstance(repo, dict) and isinstance(repo.get("url"), str):
            return Import(repo["url"], str(repo.get("rev_lock") or ""), str(said.get("path") or ""))
    return None


def _wdir(stages: Any, name: str) -> str:
    """Return the folder of a stage, as ``dvc.yaml`` says it; those of a ``foreach`` share one."""
    for asked in (name, name.partition("@")[0]):
        stage = stages.get(asked) if isinstance(stages, dict) else None
        if isinstance(stage, dict):
            inner = stage.get("do") if isinstance(stage.get("do"), dict) else stage
            return str(inner.get("wdir") or "") if isinstance(inner, dict) else ""
    return ""


def _tables(found: Any) -> Iterator[Mapping[str, Any]]:
    yield from (item for item in found if isinstance(item, dict)) if isinstance(found, list) else ()


def _yaml(repository: Repository, name: str, content: bytes) -> dict[str, Any]:
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        found = yaml.load(content, loader)
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        conflict = any(line.startswith((b"<<<<<<< ", b">>>>>>> ")) for line in content.splitlines())
        why = "holds a merge conflict" if conflict else f"is not YAML ({shorten(str(error), 80)})"
        raise InvalidError(
            f"'{repository.source}' cannot be opened: {name} {why}.",
            "Resolve the conflict." if conflict else "Restore it from git.",
        ) from None
    return found if isinstance(found, dict) else {}


def _base(name: str) -> str:
    return name.rpartition("/")[2]
