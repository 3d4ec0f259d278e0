"""``model-gate.ledger.jsonl``: what has been judged on each holdout, one JSON object per line, append only.

The file is committed, so branches change it side by side. Every line stands for itself, and what it means
doesn't depend on the lines around it: the union of two files is what happened on both branches.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from operator import itemgetter
from typing import Any, NamedTuple

from ..errors import ConfigurationError
from ..spec import Feedback, Spending
from ..wording import shorten

LEDGER_NAME = "model-gate.ledger.jsonl"

_VERSION = 1
_CONFLICT = re.compile(r"(<{7}|={7}|>{7}|\|{7})( |$)")


class Use(NamedTuple):
    """One line about one candidate: that it is going to be judged, and later the same with its verdict.

    Parameters
    ----------
    dataset, source, rows
        The holdout: digest of its content, as the gate names it, and how many rows were judged.
    gate, model
        For people: names of the gate and of the candidate.
    config : str
        Digest of what the gate asks, see ``gate.fingerprint``.
    candidate : str
        Digest of what the candidate, and the models that it is compared with, say for the judged rows.
    limits : mapping
        Question -> limit. One candidate may be asked several questions, but none with two limits.
    number, passes, budget, spending, level, alpha
        Which use of the holdout this was, how many earlier ones had passed, the rule, the level that all
        uses share and what this one was judged at.
    feedback : str
        Whether numbers were shown.
    period : int
        How many resets were known.
    verdict : str
        Empty before it is known.
    date, commit : str
        When (UTC), and at which commit, if any.
    line : int
        Where it stands in the file.
    """

    dataset: str
    source: str
    rows: int
    gate: str
    model: str
    config: str
    candidate: str
    limits: Mapping[str, str]
    number: int
    passes: int
    budget: int | None
    spending: Spending
    level: float
    alpha: float
    feedback: Feedback
    period: int
    verdict: str
    date: str
    commit: str
    line: int = 0


class Reset(NamedTuple):
    """One line that starts the count of a holdout anew.

    Parameters
    ----------
    dataset, source
        The holdout.
    period : int
        The number of the resets with this one: uses of earlier periods don't count any more.
    reason : str
        Why, in somebody's words.
    date, commit : str
        When (UTC), and at which commit, if any.
    line : int
        Where it stands in the file.
    """

    dataset: str
    source: str
    period: int
    reason: str
    date: str
    commit: str
    line: int = 0


Entry = Use | Reset

_KINDS: dict[str, type[Use] | type[Reset]] = {"use": Use, "reset": Reset}
#: In the order of the fields.
_TYPES: dict[str, dict[str, tuple[type, ...]]] = {
    "use": {
        "dataset": (str,),
        "source": (str,),
        "rows": (int,),
        "gate": (str,),
        "model": (str,),
        "config": (str,),
        "candidate": (str,),
        "limits": (dict,),
        "number": (int,),
        "passes": (int,),
        "budget": (int, type(None)),
        "spending": (str,),
        "level": (float, int),
        "alpha": (float, int),
        "feedback": (str,),
        "period": (int,),
        "verdict": (str,),
        "date": (str,),
        "commit": (str,),
    },
    "reset": {
        "dataset": (str,),
        "source": (str,),
        "period": (int,),
        "reason": (str,),
        "date": (str,),
        "commit": (str,),
    },
}
#: Keys and types of the lines that we write: what is written so is read at once, in thousands of lines.
_OURS: dict[str, type] = {key: types[0] for key, types in _TYPES["use"].items()}
_OURS |= {"kind": str, "version": int}
_KEYS = sorted(_OURS)
_USUAL = {
    (*_KEYS, *((_OURS | {"budget": budget})[key] for key in _KEYS)) for budget in _TYPES["use"]["budget"]
}
_values = itemgetter(*_TYPES["use"])


def render(entry: Entry) -> str:
    """Return the line of an entry: one way to write it, so that equal lines are equal bytes."""
    plain = entry._asdict()
    del plain["line"]
    kind = "use" if isinstance(entry, Use) else "reset"
    return json.dumps(
        {"kind": kind, "version": _VERSION, **plain},
        allow_nan=False,
        ensure_ascii=False,
        separators=(",", ":"),
        sort_keys=True,
    )


def parse(content: bytes, name: str = LEDGER_NAME) -> list[Entry]:
    """Return the entries of a ledger; equal lines, which a merge may leave, are one entry.

    Raises
    ------
    ConfigurationError
        For a line that cannot be read: names it, and says what to do.
    """
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        number = content[: error.start].count(b"\n") + 1
        raise _unreadable(name, number, "is not UTF-8", _RESTORE) from None
    # Not splitlines: a name may hold a character that it takes for the end of a line.
    first: dict[str, int] = {}
    for number, line in enumerate(text.split("\n"), start=1):
        if line := line.rstrip("\r"):
            first.setdefault(line, number)
    return [
        _entry(plain, line, number, name)
        for (line, number), plain in zip(first.items(), _plain(first, name), strict=True)
    ]


def _plain(lines: Mapping[str, int], name: str) -> list[Any]:
    """Return what each line holds, read all at once where that is possible."""
    try:
        plain: list[Any] = json.loads(f"[{','.join(lines)}]")
    except ValueError:
        plain = []
    if len(plain) == len(lines):
        return plain
    return [_read(line, number, name) for line, number in lines.items()]


_RESTORE = (
    "Take the line from the last commit (git diff shows what changed), or delete it if the run that wrote it "
    "was cut off: then it was never reported."
)


def _read(line: str, number: int, name: str) -> Any:
    try:
        return json.loads(line)
    except ValueError:
        if _CONFLICT.match(line):
            raise _unreadable(
                name,
                number,
                "is a mark of a merge conflict",
                "Keep the lines of both sides and delete only the marks. With "
                f'"{LEDGER_NAME} merge=union" in .gitattributes git does that itself.',
            ) from None
        raise _unreadable(name, number, f"is no JSON object: {shorten(line)}", _RESTORE) from None


def _entry(plain: Any, line: str, number: int, name: str) -> Entry:
    if (
        isinstance(plain, dict)
        and (*plain, *map(type, plain.values())) in _USUAL
        and (plain["kind"], plain["version"]) == ("use", _VERSION)
    ):
        return Use._make((*_values(plain), number))
    version = plain.get("version") if isinstance(plain, dict) else None
    if type(version) is int and version > _VERSION:
        raise _unreadable(
            name,
            number,
            f"was written by a newer pytest-model-gate (format {version}, known is {_VERSION})",
            "Install that version here, too.",
        )
    kind = plain.pop("kind", None) if isinstance(plain, dict) else None
    if version != _VERSION or kind not in _KINDS:
        raise _unreadable(name, number, f"is no line of a ledger: {shorten(line)}", _RESTORE)
    del plain["version"]
    _check(plain, _TYPES[kind], number, name)
    return _KINDS[kind](**plain, line=number)


def _check(plain: dict[str, Any], types: Mapping[str, tuple[type, ...]], number: int, name: str) -> None:
    if plain.keys() != types.keys():
        key = sorted(plain.keys() ^ types.keys())[0]
        said = "has the unknown key" if key in plain else "lacks the key"
        raise _unreadable(name, number, f"{said} '{shorten(key)}'", _RESTORE)
    for key, wanted in types.items():
        if type(plain[key]) not in wanted:
            raise _unreadable(name, number, f"has the wrong {key}: {shorten(repr(plain[key]))}", _RESTORE)


def _unreadable(name: str, number: int, what: str, remedy: str) -> ConfigurationError:
    return ConfigurationError(f"{name} line {number} {what}.", remedy)


def of_dataset(entries: Iterable[Entry], dataset: str) -> list[Entry]:
    """Return the entries about one dataset, from the earliest; the order of the file means nothing."""
    return sorted((entry for entry in entries if entry.dataset == dataset), key=_when)


def _when(entry: Entry) -> tuple[object, ...]:
    if isinstance(entry, Reset):
        return entry.date, 0, entry.reason
    # Within a second by number; whatever else differs keeps the order of the file out of it.
    asked = tuple(sorted(entry.limits.items()))
    return entry.date, entry.number, entry.candidate, entry.config, entry.alpha, entry.verdict, asked
