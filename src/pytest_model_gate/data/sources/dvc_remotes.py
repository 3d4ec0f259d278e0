"""Where DVC keeps the content of what it tracks: its cache on this machine, and its remotes.

Only folders of this machine and S3 are opened here. What lies in another kind of remote comes through the
cache: ``dvc fetch`` puts it there.
"""

from __future__ import annotations

import configparser
import os
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ...errors import InvalidError, UnavailableError
from ...redact import redact
from ...wording import did_you_mean, shorten
from .dvc_outs import LEGACY
from .s3_address import SCHEME as S3
from .s3_store import Bucket

_SECTION = re.compile(r"""^['"]?remote ["'](?P<name>.+?)["']['"]?$""")
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")
_TRUE = ("true", "yes", "on", "1")


@dataclass(frozen=True, slots=True)
class Folder:
    """A cache, or a remote that is a folder of this machine."""

    name: str
    root: Path
    remote: bool = False

    def path(self, md5: str, kind: str) -> Path:
        """Return where the content with a hash lies."""
        return self.root / layout(md5, kind)


@dataclass(frozen=True, slots=True)
class S3Remote:
    """A remote in a bucket."""

    name: str
    bucket: Bucket
    prefix: str

    def key(self, md5: str, kind: str) -> str:
        """Return the key of the content with a hash."""
        return f"{self.prefix}{layout(md5, kind)}"


@dataclass(frozen=True, slots=True)
class Closed:
    """A remote that is not opened here, and why."""

    name: str
    why: str


Remote = Folder | S3Remote | Closed


def layout(md5: str, kind: str) -> str:
    """Return the path of some content in a cache or remote: DVC 3 moved what it writes below ``files/md5``.

    Examples
    --------
    >>> layout("e5ebd4c0", "md5"), layout("e5ebd4c0", "md5-dos2unix")
    ('files/md5/e5/ebd4c0', 'e5/ebd4c0')
    """
    short = f"{md5[:2]}/{md5[2:]}"
    return short if kind == LEGACY else f"files/md5/{short}"


class Config:
    """The configuration of one DVC repository: system, user, project, and ``config.local``; the last wins.

    Parameters
    ----------
    root : Path
        The folder that holds ``.dvc``.
    source : str
        What the user wrote; errors name it.
    """

    def __init__(self, root: Path, source: str) -> None:
        self._root, self._source = root, source
        self._values: dict[str, dict[str, str]] = {}
        for path in (*_shared_configs(), root / ".dvc" / "config", root / ".dvc" / "config.local"):
            self._read(path)

    def cache(self) -> Folder:
        """Return the cache on this machine."""
        said = self._values.get("cache", {}).get("dir", "")
        return Folder("the DVC cache", Path(said) if said else self._root / ".dvc" / "cache")

    def remote(self, name: str) -> Remote | None:
        """Return a remote, or the default one for an empty name; ``None`` where there is none."""
        known = {found["name"]: key for key in self._values if (found := _SECTION.match(key))}
        name = name or self._values.get("core", {}).get("remote", "")
        if not name:
            return None
        if name not in known:
            raise UnavailableError(
                f"'{self._source}' lies in the remote '{shorten(name)}', which .dvc/config does not have.",
                did_you_mean(name, known, "Add it: dvc remote add."),
            )
        return self._opened(name, self._values[known[name]])

    def _opened(self, name: str, said: Mapping[str, str]) -> Remote:
        url = said.get("url", "")
        if any(
            said.get(key, "").lower() in ("true", "yes", "on", "1") for key in ("version_aware", "worktree")
        ):
            return Closed(name, "keeps files under their own names and relies on the versions of the store")
        if url.startswith(S3):
            bucket, _, prefix = url.removeprefix(S3).partition("/")
            keys = (said.get("access_key_id", ""), said.get("secret_access_key", ""))
            return S3Remote(
                name,
                Bucket(
                    bucket,
                    self._source,
                    endpoint=said.get("endpointurl", ""),
                    region=said.get("region", ""),
                    profile=said.get("profile", ""),
                    setting=f"endpointurl of the remote '{name}' in .dvc/config (or AWS_ENDPOINT_URL)",
                    credentials=(*keys, said.get("session_token", "")) if all(keys) else None,
                    # Others may lie in another remote, or in the cache.
                    prefixes=(self._source,),
                ),
                f"{prefix.strip('/')}/" if prefix.strip("/") else "",
            )
        if _URL.match(url):
            return Closed(name, f"is at {redact(url)}, and only folders and S3 are opened without DVC")
        return Folder(f"the remote '{name}'", Path(url), remote=True)

    def _read(self, path: Path) -> None:
        parser = configparser.ConfigParser(
            interpolation=None, strict=False, inline_comment_prefixes=("#",), default_section="\0"
        )
        try:
            parser.read_string(path.read_text(encoding="utf-8"))
        except OSError:
            return
        except (configparser.Error, UnicodeDecodeError) as error:
            raise InvalidError(
                f"'{self._source}' cannot be opened: {path.name} of DVC cannot be read "
                f"({shorten(str(error).splitlines()[0], 80)}).",
                "Repair it: dvc config --list shows what DVC makes of it.",
            ) from None
        for section in parser.sections():
            values = {key: _unquoted(value) for key, value in parser[section].items()}
            for key in ("url", "dir"):
                # Relative to the file that says it; remote://NAME/... is below another remote.
                if section in ("core",) or key not in values:
                    continue
                values[key] = self._absolute(values[key], path.parent)
            self._values.setdefault(section, {}).update(values)

    def _absolute(self, place: str, base: Path) -> str:
        if place.startswith("remote://"):
            name, _, rest = place.removeprefix("remote://").partition("/")
            other = next(
                (v for k, v in self._values.items() if (f := _SECTION.match(k)) and f["name"] == name), {}
            )
            return f"{other.get('url', '').rstrip('/')}/{rest}"
        if _URL.match(place):
            return place.removeprefix("file://") if place.startswith("file://") else place
        return os.path.normpath(base / Path(place).expanduser())


def dvc_root(place: Path, top: Path, source: str) -> Path:
    """Return the folder with ``.dvc`` that a path belongs to.

    Raises
    ------
    UnavailableError
        If there is none up to the top of the git repository.
    """
    for folder in (place, *place.parents):
        if (folder / ".dvc").is_dir():
            return folder
        if folder == top:
            break
    raise UnavailableError(
        f"'{source}' cannot be opened: there is no .dvc folder in {place.as_posix()} or above.",
        "Start the path at the folder of the gate's configuration, in a repository of DVC (dvc init).",
    )


def _shared_configs() -> tuple[Path, ...]:
    """Return where DVC keeps what holds for all repositories of this machine."""
    if sys.platform == "win32":
        system = Path(os.environ.get("PROGRAMDATA", "C:/ProgramData")) / "iterative" / "dvc"
        user = Path(os.environ.get("LOCALAPPDATA", Path.home())) / "iterative" / "dvc"
    elif sys.platform == "darwin":
        system = Path("/Library/Application Support/dvc")
        user = Path.home() / "Library" / "Application Support" / "dvc"
    else:
        system = Path("/etc/xdg/dvc")
        user = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "dvc"
    return (
        Path(os.environ.get("DVC_SYSTEM_CONFIG_DIR") or system) / "config",
        Path(os.environ.get("DVC_GLOBAL_CONFIG_DIR") or user) / "config",
    )


def _unquoted(value: str) -> str:
    value = value.strip()
    return value[1:-1] if len(value) > 1 and value[0] == value[-1] and value[0] in "'\"" else value
