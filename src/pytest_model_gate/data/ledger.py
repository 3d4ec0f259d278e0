"""``model-gate.ledger.jsonl``: what has been judged on each holdout, one JSON object per line, append only.

The file is committed, so branches change it side by side. Every line stands for itself, and what it means
doesn't depend on the lines around it: the union of two files is what happened on both branches.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from operator import itemgetter
from typing import Any, NamedTuple

from ..errors import ConfigurationError
from ..spec import Feedback, Spending
from ..wording import shorten
from .row_sketch import Sketch

LEDGER_NAME = "model-gate.ledger.jsonl"

#: The kinds of lines, and the format of each.
_VERSIONS = {"use": 1, "reset": 1, "rows": 2}
_VERSION = _VERSIONS["use"]
_NEWEST = max(_VERSIONS.values())
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


class Content(NamedTuple):
    """One line about what a dataset holds, written when it is used for the first time.

    Parameters
    ----------
    dataset, source
        The holdout.
    rows : int
        How many are judged.
    digest : str
        Over the judged rows in no order. Empty: they are so alike that chance could repeat them.
    sketches : sequence
        What is kept of the rows, see ``row_sketch.Sketch``: objects of columns, distinct and words.
    shared : mapping
        Digest of an earlier dataset -> which share of these rows it had. Those that had most of them are
        one holdout with this one.
    date, commit : str
        When (UTC), and at which commit, if any.
    line : int
        Where it stands in the file.
    """

    dataset: str
    source: str
    rows: int
    digest: str
    sketches: Sequence[Mapping[str, Any]]
    shared: Mapping[str, float]
    date: str
    commit: str
    line: int = 0

    @property
    def kept(self) -> list[Sketch]:
        """The sketches."""
        return [Sketch.of_text(item["columns"], item["distinct"], item["words"]) for item in self.sketches]


def plain_sketch(sketch: Sketch) -> dict[str, Any]:
    """Return a sketch as a line holds it."""
    return {"columns": list(sketch.columns), "distinct": sketch.distinct, "words": sketch.text}


Entry = Use | Reset | Content

_KINDS: dict[str, type[Use] | type[Reset] | type[Content]] = {"use": Use, "reset": Reset, "rows": Content}
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
    "rows": {
        "dataset": (str,),
        "source": (str,),
        "rows": (int,),
        "digest": (str,),
        "sketches": (list,),
        "shared": (dict,),
        "date": (str,),
        "commit": (str,),
    },
}
_OF_SKETCH: dict[str, type] = {"columns": list, "distinct": int, "words": str}
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
    kind = next(name for name, known in _KINDS.items() if isinstance(entry, known))
    return json.dumps(
        {"kind": kind, "version": _VERSIONS[kind], **plain},
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
    if type(version) is int and version > _NEWEST:
        raise _unreadable(
            name,
            number,
            f"was written by a newer pytest-model-gate (format {version}, known is {_NEWEST})",
            "Install that version here, too.",
        )
    kind = plain.pop("kind", None) if isinstance(plain, dict) else None
    if kind not in _KINDS or version != _VERSIONS[kind]:
        raise _unreadable(name, number, f"is no line of a ledger: {shorten(line)}", _RESTORE)
    del plain["version"]
    _check(plain, _TYPES[kind], number, name)
    if kind == "rows":
        _check_content(plain, number, name)
    return _KINDS[kind](**plain, line=number)


def _check(plain: dict[str, Any], types: Mapping[str, tuple[type, ...]], number: int, name: str) -> None:
    if plain.keys() != types.keys():
        key = sorted(plain.keys() ^ types.keys())[0]
        said = "has the unknown key" if key in plain else "lacks the key"
        raise _unreadable(name, number, f"{said} '{shorten(key)}'", _RESTORE)
    for key, wanted in types.items():
        if type(plain[key]) not in wanted:
            raise _unreadable(name, number, f"has the wrong {key}: {shorten(repr(plain[key]))}", _RESTORE)


def _check_content(plain: Mapping[str, Any], number: int, name: str) -> None:
    if not all(type(share) is float and 0 <= share <= 1 for share in plain["shared"].values()):
        raise _unreadable(name, number, f"has the wrong shared: {shorten(repr(plain['shared']))}", _RESTORE)
    for sketch in plain["sketches"]:
        if not _is_sketch(sketch):
            raise _unreadable(name, number, f"has the wrong sketches: {shorten(repr(sketch))}", _RESTORE)


def _is_sketch(plain: Any) -> bool:
    if not isinstance(plain, dict) or {key: type(value) for key, value in plain.items()} != _OF_SKETCH:
        return False
    try:
        Sketch.of_text(plain["columns"], plain["distinct"], plain["words"])
    except ValueError:
        return False
    return all(isinstance(column, str) for column in plain["columns"])


def _unreadable(name: str, number: int, what: str, remedy: str) -> ConfigurationError:
    return ConfigurationError(f"{name} line {number} {what}.", remedy)


def missing_lines(content: bytes, before: bytes) -> int:
    """Return how many lines of an earlier content of the ledger are not in this one.

    An earlier one that is damaged says nothing: its lines were never counted.
    """
    if content.startswith(before):
        return 0
    try:
        earlier = parse(before)
    except ConfigurationError:
        return 0
    known = {render(entry) for entry in parse(content)}
    return sum(render(entry) not in known for entry in earlier)


def same_holdout(entries: Iterable[Entry], dataset: str) -> dict[str, float]:
    """Return the digests of all datasets that are one holdout with this one, and the share of common rows.

    A dataset that shares rows with one that shares rows with this one is not among them by that alone: of a
    window that moves on, nothing is left some day. Two branches may both have met the same rows.
    """
    contents = [entry for entry in entries if isinstance(entry, Content)]
    digests = {content.digest for content in contents if content.dataset == dataset} - {""}
    found = {dataset: 1.0}
    for content in contents:
        if content.dataset == dataset:
            found |= content.shared
        elif dataset in content.shared:
            found[content.dataset] = content.shared[dataset]
        elif content.digest in digests:
            found[content.dataset] = 1.0
    return found


def of_dataset(entries: Iterable[Entry], dataset: str) -> list[Use | Reset]:
    """Return uses and resets of one holdout, from the earliest; the order of the file means nothing."""
    entries = list(entries)
    datasets = same_holdout(entries, dataset)
    return sorted(
        (entry for entry in entries if not isinstance(entry, Content) and entry.dataset in datasets),
        key=_when,
    )


def _when(entry: Use | Reset) -> tuple[object, ...]:
    if isinstance(entry, Reset):
        return entry.date, 0, entry.reason
    # Within a second by number; whatever else differs keeps the order of the file out of it.
    asked = tuple(sorted(entry.limits.items()))
    return entry.date, entry.number, entry.candidate, entry.config, entry.alpha, entry.verdict, asked
