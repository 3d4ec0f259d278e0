"""Rules about rows that repeat each other: unique keys, duplicate rows, conflicting labels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ...errors import InvalidError
from ...spec import DataRule
from ...wording import did_you_mean, example, plural, shorten, some
from ..mixing import Words
from ..table import missing
from .counted import SHOWN, Counted, named
from .counter import Around, must
from .kinds import Mask, hashable
from .row_keys import row_keys

if TYPE_CHECKING:
    import pandas as pd

_REPEAT = ("repeats another one", "repeat each other")


class Unique:
    """Columns that tell the rows apart; a missing value is a value like any other."""

    def __init__(self, rule: DataRule, around: Around) -> None:  # noqa: ARG002
        self.rule, self.columns = rule, tuple(rule.options["columns"])
        self._parts: list[pd.DataFrame] = []

    def add(self, frame: pd.DataFrame, start: int) -> None:  # noqa: ARG002
        """Keep the columns of a batch."""
        self._parts.append(frame[list(self.columns)])

    def counted(self, rows: int) -> Counted:
        """Return how many rows share their values with another one."""
        import pandas as pd

        table = pd.concat(self._parts, ignore_index=True) if len(self._parts) > 1 else self._parts[0]
        self._parts = []
        table = pd.DataFrame({name: hashable(table[name]) for name in self.columns})
        # Most keys are unique, and one look tells so.
        again = np.asarray(table.duplicated(), dtype=bool)
        twice = np.asarray(table.duplicated(keep=False), dtype=bool) if again.any() else again
        where = np.flatnonzero(twice)
        shown = table.iloc[where[:1000]].drop_duplicates().head(SHOWN)
        names = some(self.columns)
        return Counted(
            subject=shorten(self.columns[0]) if len(self.columns) == 1 else names,
            demand=must(self.columns[0], "be unique")
            if len(self.columns) == 1
            else f"Columns {names} must be unique together",
            rows=rows,
            count=len(where),
            limit=self.rule.options["tolerated"],
            endings=_REPEAT,
            examples=tuple(
                " and ".join(example(value) for value in values)
                for values in shown.itertuples(index=False, name=None)
            ),
            where=tuple(map(int, where[:SHOWN])),
        )


class _Keyed:
    """Rows by the two numbers of some of their columns."""

    def __init__(self, columns: tuple[str, ...]) -> None:
        self._columns = columns
        self._parts: tuple[list[Words], list[Words]] = ([], [])

    def add(self, frame: pd.DataFrame) -> None:
        for salt, parts in enumerate(self._parts):
            parts.append(row_keys(frame, self._columns, salt))

    def codes(self) -> tuple[Any, int]:
        """Return the number of the distinct row that each row is, and how many there are."""
        import pandas as pd

        first, second = (np.concatenate(parts) for parts in self._parts)
        self._parts = ([], [])
        codes, distinct = pd.factorize(first)
        pairs = pd.DataFrame({"first": codes, "second": second}).drop_duplicates()
        if len(pairs) > len(distinct):  # two rows agree in one number and not in the other
            both = pd.DataFrame({"first": codes, "second": second})
            return both.groupby(["first", "second"]).ngroup().to_numpy(), len(pairs)
        return codes, len(distinct)


class Duplicates:
    """Whole rows (or some columns) that occur more than once."""

    def __init__(self, rule: DataRule, around: Around) -> None:
        self.rule = rule
        self.columns = tuple(rule.options["columns"] or around.names)
        self._rows = _Keyed(self.columns)
        self._subject = "dataset"
        which = f"The columns {some(self.columns)} of a row" if rule.options["columns"] else "A row"
        self._demand = f"{which} must not occur twice"

    def add(self, frame: pd.DataFrame, start: int) -> None:  # noqa: ARG002
        """Take the rows of a batch into account."""
        self._rows.add(frame)

    def counted(self, rows: int) -> Counted:
        """Return how many rows repeat an earlier one."""
        codes, distinct = self._rows.codes()
        again = np.ones(len(codes), dtype=bool)
        again[np.unique(codes, return_index=True)[1]] = False
        where = np.flatnonzero(again)
        assert len(where) == len(codes) - distinct, "unreachable: every distinct row has a first one"
        return Counted(
            subject=self._subject,
            demand=self._demand,
            rows=rows,
            count=len(where),
            limit=self.rule.options["at_most"],
            endings=("repeats an earlier one", "repeat an earlier one"),
            where=tuple(map(int, where[:SHOWN])),
        )


class ConflictingLabels:
    """Rows with the same features and another target."""

    def __init__(self, rule: DataRule, around: Around) -> None:
        target = rule.options["target"] or around.target
        if not target:
            raise InvalidError(
                "The rule 'conflicting_labels' needs to know the target",
                "Give the rule target = 'COLUMN'.",
            )
        self.rule, self._target = rule, target
        without = rule.options["without"] or ()
        for name in without:
            if name not in around.names:
                raise InvalidError(
                    f"{named(name)} is left out by the rule 'conflicting_labels', and the dataset has none "
                    "of that name",
                    did_you_mean(name, around.names, f"The dataset has: {some(around.names)}."),
                )
        left_out = {target, *(without or around.apart)}
        features = rule.options["columns"] or [name for name in around.names if name not in left_out]
        self._features = tuple(name for name in features if name != target)
        if not self._features:
            raise InvalidError(
                "The rule 'conflicting_labels' has no feature to compare rows by", "Name columns = [...]."
            )
        self.columns = (target, *self._features)
        self._rows, self._labels = _Keyed(self._features), _Keyed((target,))
        self._unlabelled: list[Mask] = []

    def add(self, frame: pd.DataFrame, start: int) -> None:  # noqa: ARG002
        """Take the rows of a batch into account."""
        self._rows.add(frame)
        self._labels.add(frame)
        self._unlabelled.append(missing(frame[self._target]))

    def counted(self, rows: int) -> Counted:
        """Return how many rows have the features of a row with another label."""
        features, distinct = self._rows.codes()
        labels, kinds = self._labels.codes()
        labelled = ~np.concatenate(self._unlabelled)
        pairs = np.unique(features[labelled].astype(np.int64) * kinds + labels[labelled])
        conflicting = np.bincount(pairs // max(1, kinds), minlength=distinct) > 1
        where = np.flatnonzero(conflicting[features] & labelled)
        return Counted(
            subject=shorten(self._target),
            demand=must(self._target, "be the same where all features are"),
            rows=rows,
            count=len(where),
            limit=self.rule.options["at_most"],
            endings=("has another one", "have several"),
            detail=f"{plural(int(conflicting.sum()), 'group')} of equal rows" if len(where) else "",
            where=tuple(map(int, where[:SHOWN])),
            remedy="Find out which label is right, or add the feature that tells these rows apart.",
        )
