"""The rules of a pandera schema in plain words, and what is counted against each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from ...results import Finding
from ...wording import example, share, shorten

#: Built-in checks that look at one value at a time, so that a dataset can be checked batch by batch.
ROW_BY_ROW = frozenset(
    {
        "equal_to",
        "not_equal_to",
        "greater_than",
        "greater_than_or_equal_to",
        "less_than",
        "less_than_or_equal_to",
        "in_range",
        "isin",
        "notin",
        "str_matches",
        "str_contains",
        "str_startswith",
        "str_endswith",
        "str_length",
    }
)

_MOST_EXAMPLES = 3
_ENDINGS = {
    "break": ("breaks it", "break it"),
    "null": ("has none", "have none"),
    "repeat": ("repeats another one", "repeat each other"),
}
_REMEDY = "Correct the data where it is made, or the schema if the rule is wrong."


@dataclass
class Broken:
    """A rule that does not hold, and how often.

    Parameters
    ----------
    subject : str
        The column, or the dataset.
    rule : str
        The sentence that should be true, without a full stop.
    ending : str
        What the rows that are counted do: ``"break"``, ``"null"`` or ``"repeat"``.
    count : int or None
        How many; ``None`` where the rule is about the whole column.
    examples : list of str
        A few values.
    remedy : str
        What to do.
    unchecked : bool
        Whether the check itself failed, so that nobody knows.
    place : int
        Where it stands among the findings on its subject.
    name : str
        What programs call the rule.
    rows : list of int
        The first rows that break it.
    secret : str
        The end of the sentence, which may hold values of the data.
    """

    subject: str
    rule: str
    ending: str = "break"
    count: int | None = None
    examples: list[str] = field(default_factory=list)
    remedy: str = _REMEDY
    unchecked: bool = False
    place: int = 0
    name: str = ""
    rows: list[int] = field(default_factory=list)
    secret: str = ""

    def add(self, other: Broken) -> None:
        """Count the same rule on other rows, too."""
        if self.count is not None and other.count is not None:
            self.count += other.count
        self.examples = list(dict.fromkeys([*self.examples, *other.examples]))[:_MOST_EXAMPLES]
        self.rows = [*self.rows, *other.rows][:_MOST_EXAMPLES]

    def finding(
        self, rows: int, severity: Literal["fail", "warn"] = "fail", *, redact: bool = False
    ) -> Finding:
        """Return the finding, as a share of all rows; redacted, it shows no value."""
        if self.count is None:
            problem = f"{self.rule}{'' if redact else self.secret}."
        else:
            problem = f"{self.rule}; {share(self.count, rows)} {_ENDINGS[self.ending][self.count != 1]}."
        return Finding(
            subject=self.subject,
            problem=problem,
            remedy=self.remedy,
            count=self.count,
            examples=() if redact else tuple(self.examples),
            rule=self.name,
            share=self.count / rows if self.count is not None and rows else None,
            rows=tuple(self.rows),
            severity=severity,
        )


def column(name: object) -> str:
    """Return how sentences name a column."""
    return f"Column '{shorten(str(name))}'"


def check_rule(check: Any) -> str:
    """Return what a check demands, as it follows "must": ``"be between 0 and 120"``."""
    statistics: Mapping[str, Any] = check.statistics or {}
    write = _BUILT_IN.get(check.name or "")
    if write is not None and statistics:
        try:
            return write(statistics)
        except KeyError:  # a release of pandera that names its arguments otherwise
            pass
    said = next((text for text in (check.description, check.title, check.error, check.name) if text), None)
    return f"pass the check '{shorten(str(said), 80)}'" if said else "pass a check without a name"


def _in_range(s: Mapping[str, Any]) -> str:
    low, high = example(s["min_value"]), example(s["max_value"])
    if s.get("include_min", True) and s.get("include_max", True):
        return f"be between {low} and {high}"
    lower = f"at least {low}" if s.get("include_min", True) else f"more than {low}"
    upper = f"at most {high}" if s.get("include_max", True) else f"less than {high}"
    return f"be {lower} and {upper}"


def _str_length(s: Mapping[str, Any]) -> str:
    if s.get("exact_value") is not None:
        return f"have {s['exact_value']} characters"
    low, high = s.get("min_value"), s.get("max_value")
    if low is None:
        return f"have at most {high} characters"
    return f"have at least {low} characters" if high is None else f"have {low} to {high} characters"


def _listed(values: Any) -> str:
    known = list(values)
    try:
        known.sort()
    except TypeError:
        known.sort(key=str)
    shown = ", ".join(example(value) for value in known[:8])
    return shown if len(known) <= 8 else f"{shown}, ... ({len(known)} in all)"


_BUILT_IN: dict[str, Callable[[Mapping[str, Any]], str]] = {
    "equal_to": lambda s: f"be {example(s['value'])}",
    "not_equal_to": lambda s: f"not be {example(s['value'])}",
    "greater_than": lambda s: f"be more than {example(s['min_value'])}",
    "greater_than_or_equal_to": lambda s: f"be at least {example(s['min_value'])}",
    "less_than": lambda s: f"be less than {example(s['max_value'])}",
    "less_than_or_equal_to": lambda s: f"be at most {example(s['max_value'])}",
    "in_range": _in_range,
    "isin": lambda s: f"be one of {_listed(s['allowed_values'])}",
    "notin": lambda s: f"be none of {_listed(s['forbidden_values'])}",
    "str_matches": lambda s: f"match '{shorten(str(s['pattern']))}' from the start",
    "str_contains": lambda s: f"contain '{shorten(str(s['pattern']))}'",
    "str_startswith": lambda s: f"start with '{shorten(str(s['string']))}'",
    "str_endswith": lambda s: f"end with '{shorten(str(s['string']))}'",
    "str_length": _str_length,
    "unique_values_eq": lambda s: f"have exactly the values {_listed(s['values'])}",
}
