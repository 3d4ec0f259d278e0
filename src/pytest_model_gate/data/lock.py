"""``model-gate.lock``: which content of each dataset, and which model files, the project agreed to.

Everybody reviews this file in pull requests, so it is written in one way only: sorted, one column per
line, and byte for byte the same when nothing changed.
"""

from __future__ import annotations

import datetime
import os
import re
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from ..errors import ConfigurationError, UnavailableError
from ..wording import did_you_mean, shorten, some
from .pins import LOCK_NAME, PIN_COMMAND, DatasetPin, Lock, ModelPin, check_pin, pin, pin_model
from .profile import FACTS, ColumnProfile

__all__ = [
    "DatasetPin",
    "Lock",
    "ModelPin",
    "check_pin",
    "lock_path",
    "pin",
    "pin_model",
    "read_lock",
    "render_lock",
    "write_lock",
]

_VERSION = 1
_COMMENT = "# Written by `model-gate pin` and `pytest --gate-pin`: commit it, and let only them change it.\n"
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_DATASET_KEYS = ("version", "digest", "rows", "created", "from", "columns", "profile")
_BARE = re.compile(r"[A-Za-z0-9_-]+")
_CONFLICT = re.compile(r"^(<{7}|={7}|>{7}|\|{7})( |$)")

T = TypeVar("T")


def lock_path(root: str | Path) -> Path:
    """Return where the lock of a project is."""
    return Path(root) / LOCK_NAME


def read_lock(path: Path) -> Lock:
    """Read the lock file; where there is none, nothing is pinned.

    Raises
    ------
    ConfigurationError
        If the file is damaged: names the line or the key.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return Lock()
    except UnicodeDecodeError as error:
        raise _broken(path, f"is not UTF-8 (byte {error.start})") from None
    except OSError as error:
        raise UnavailableError(
            f"{path.as_posix()} cannot be read: {error.strerror or error}.",
            "Check the path and its permissions.",
        ) from None
    for number, line in enumerate(text.splitlines(), start=1):
        if _CONFLICT.match(line):
            raise ConfigurationError(
                f"{path.as_posix()} line {number} is a mark of a merge conflict.",
                f"Take either side, run {PIN_COMMAND}, and commit the result.",
            )
    try:
        plain = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise _broken(path, f"is not TOML: {shorten(str(error), 120)}") from None
    return _Reader(path).lock(plain)


def write_lock(path: Path, lock: Lock) -> None:
    """Write the lock file: all of it or nothing, and not at all where nothing changed.

    Raises
    ------
    UnavailableError
        If it cannot be written.
    """
    content = render_lock(lock).encode("utf-8")
    target = Path(os.path.realpath(path))
    temporary = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    try:
        if target.exists() and target.read_bytes() == content:
            return
        try:
            with temporary.open("wb") as stream:
                stream.write(content)
                stream.flush()
                os.fsync(stream.fileno())
            temporary.replace(target)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        raise UnavailableError(
            f"{path.as_posix()} cannot be written: {error.strerror or error}.",
            "Check the folder and its permissions; pin where you can commit the file.",
        ) from None


def render_lock(lock: Lock) -> str:
    """Return the text of the lock file."""
    lines = [_COMMENT, f"version = {_VERSION}\n"]
    for agreed in sorted(lock.datasets, key=_source):
        table = f"datasets.{_text(agreed.source)}"
        lines += [
            f"\n[{table}]\n",
            *([f"version = {_text(agreed.version)}\n"] if agreed.version else []),
            f"digest = {_text(agreed.digest)}\n",
            f"rows = {agreed.rows}\n",
            f"created = {agreed.created.isoformat()}\n",
            *([f"from = {_text(agreed.resolved)}\n"] if agreed.resolved else []),
            f"\n[{table}.columns]\n",
            *(f"{_key(name)} = {_text(kind)}\n" for name, kind in agreed.columns),
            *([f"\n[{table}.profile]\n"] if agreed.profile else []),
            *(f"{_key(column.name)} = {_facts(column)}\n" for column in agreed.profile),
        ]
    for model in sorted(lock.models, key=_source):
        lines += [f"\n[models.{_text(model.source)}]\n", f"digest = {_text(model.digest)}\n"]
    return "".join(lines)


def _facts(column: ColumnProfile) -> str:
    said = (f"{name} = {_text(value) if isinstance(value, str) else value}" for name, value in column.facts())
    return "{ " + ", ".join(said) + " }"


def _source(agreed: DatasetPin | ModelPin) -> str:
    return agreed.source


def _key(name: str) -> str:
    return name if _BARE.fullmatch(name) else _text(name)


def _text(value: str) -> str:
    """Return a TOML basic string."""
    escaped = (
        "\\" + c if c in '"\\' else f"\\u{ord(c):04x}" if ord(c) < 0x20 or ord(c) == 0x7F else c
        for c in value
    )
    return f'"{"".join(escaped)}"'


def _broken(path: Path, what: str) -> ConfigurationError:
    return ConfigurationError(
        f"{path.as_posix()} {what}.",
        f"Restore it from version control, or delete it and run {PIN_COMMAND}.",
    )


class _Reader:
    """Turns the plain values of a lock file into pins, and names the key of what does not fit."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def lock(self, plain: Mapping[str, Any]) -> Lock:
        self._known(plain, ("version", "datasets", "models"), "")
        version = plain.get("version")
        if version != _VERSION or isinstance(version, bool):
            raise ConfigurationError(
                f"{self._path.as_posix()}: version {_VERSION} was needed, got {version!r}.",
                f"Use the release of pytest-model-gate that wrote it, or run {PIN_COMMAND} with this one.",
            )
        datasets = self._table(plain, "datasets", "").items()
        models = self._table(plain, "models", "").items()
        return Lock(
            datasets=tuple(sorted((self._dataset(*item) for item in datasets), key=_source)),
            models=tuple(sorted((self._model(*item) for item in models), key=_source)),
        )

    def _dataset(self, source: str, plain: Any) -> DatasetPin:
        at = f"datasets.{_text(source)}"
        plain = self._is(plain, at, "a table", lambda v: isinstance(v, dict))
        self._known(plain, _DATASET_KEYS, at)
        columns = self._table(plain, "columns", at, required=True)
        for name, kind in columns.items():
            self._is(kind, f"{at}.columns.{_key(name)}", "the name of a type", lambda v: isinstance(v, str))
        return DatasetPin(
            source=source,
            digest=self._digest(plain, at),
            rows=self._need(plain, "rows", at, "a whole number >= 0", lambda v: type(v) is int and v >= 0),
            columns=tuple(columns.items()),
            created=self._need(plain, "created", at, "a date", lambda v: type(v) is datetime.date),
            version=self._words(plain, "version", at),
            resolved=self._words(plain, "from", at),
            profile=tuple(
                self._column(name, facts, f"{at}.profile.{_key(name)}")
                for name, facts in self._table(plain, "profile", at).items()
            ),
        )

    def _words(self, plain: Mapping[str, Any], key: str, at: str) -> str:
        if key not in plain:
            return ""
        return str(self._need(plain, key, at, "text", lambda v: isinstance(v, str) and bool(v)))

    def _column(self, name: str, facts: Any, at: str) -> ColumnProfile:
        facts = self._is(facts, at, "a table", lambda v: isinstance(v, dict))
        self._known(facts, FACTS, at)

        def fact(key: str, what: str, *kinds: type) -> Any:
            if key not in facts:
                return None
            return self._is(facts[key], f"{at}.{key}", what, lambda v: type(v) in kinds)

        self._need(facts, "missing", at, "a whole number", lambda v: type(v) is int)
        return ColumnProfile(
            name=name,
            missing=facts["missing"],
            low=fact("low", "a number or a date as text", int, float, str),
            high=fact("high", "a number or a date as text", int, float, str),
            mean=fact("mean", "a number", int, float),
            distinct=fact("distinct", "a whole number", int),
        )

    def _model(self, source: str, plain: Any) -> ModelPin:
        at = f"models.{_text(source)}"
        plain = self._is(plain, at, "a table", lambda v: isinstance(v, dict))
        self._known(plain, ("digest",), at)
        return ModelPin(source=source, digest=self._digest(plain, at))

    def _digest(self, plain: Mapping[str, Any], at: str) -> str:
        digest: str = self._need(
            plain, "digest", at, "sha256: and 64 hex digits",
            lambda v: isinstance(v, str) and _DIGEST.fullmatch(v) is not None,
        )  # fmt: skip
        return digest

    def _table(
        self, plain: Mapping[str, Any], key: str, at: str, *, required: bool = False
    ) -> dict[str, Any]:
        if key not in plain and not required:
            return {}
        table: dict[str, Any] = self._need(plain, key, at, "a table", lambda v: isinstance(v, dict))
        return table

    def _need(
        self, plain: Mapping[str, Any], key: str, at: str, what: str, fits: Callable[[Any], bool]
    ) -> Any:
        where = f"{at}.{key}" if at else key
        if key not in plain:
            raise _broken(self._path, f"has no {where}")
        return self._is(plain[key], where, what, fits)

    def _is(self, value: T, where: str, what: str, fits: Callable[[Any], bool]) -> T:
        if not fits(value):
            raise _broken(self._path, f"has {shorten(repr(value))} as {where}; {what} was needed")
        return value

    def _known(self, plain: Mapping[str, Any], known: tuple[str, ...], at: str) -> None:
        place = f" in [{at}]" if at else ""
        for key in plain:
            if key not in known:
                raise ConfigurationError(
                    f"{self._path.as_posix()} has an unknown key '{shorten(key)}'{place}.",
                    did_you_mean(key, known, f"Known: {some(known)}."),
                )
