"""Rules about all rows at once: how many, how new, how balanced, and where their numbers lie."""

from __future__ import annotations

import datetime
import math
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import numpy as np

from ...errors import InvalidError
from ...spec import DataRule
from ...wording import share, shorten
from ..table import missing
from .by_row import factorized
from .counted import SHOWN, Counted, named
from .counter import Around, bounds_in_words, must
from .kinds import DATES, NUMBERS, TEXT, hashable, is_timestamps, label, must_hold

if TYPE_CHECKING:
    import pandas as pd

    Series = pd.Series[Any]

#: How an ISO timestamp ends that has a time zone.
_OFFSET = r"\d(?:Z|[+-]\d\d:?\d\d)$"

#: More classes are no classes.
_MOST_CLASSES = 1000


class Rows:
    """Bounds of the number of rows."""

    columns: tuple[str, ...] = ()

    def __init__(self, rule: DataRule, around: Around) -> None:  # noqa: ARG002
        self.rule = rule

    def add(self, frame: pd.DataFrame, start: int) -> None:
        """Nothing: the number of rows is known at the end."""

    def counted(self, rows: int) -> Counted:
        """Return whether there are as many as there should be."""
        low, high = self.rule.options["at_least"], self.rule.options["at_most"]
        return Counted(
            subject="dataset",
            demand=f"The number of rows must be {bounds_in_words(low, high)}",
            rows=rows,
            holds=(low is None or rows >= low) and (high is None or rows <= high),
            came=f"there {'is' if rows == 1 else 'are'} {rows:,}",
            remedy="Check how the dataset was made, or correct the rule.",
        )


class Fresh:
    """The newest timestamp against now; nothing lies in the future."""

    def __init__(self, rule: DataRule, around: Around) -> None:
        self.rule, self._now = rule, around.now
        self.columns = (rule.options["column"],)
        self._newest: datetime.datetime | None = None
        self._future = 0
        self._where: list[int] = []

    def add(self, frame: pd.DataFrame, start: int) -> None:
        """Look for a newer one, and for some that lie in the future."""
        import pandas as pd

        series = frame[self.columns[0]]
        if not must_hold(series, DATES, TEXT, rule="fresh"):
            return
        moments = self._moments(series)
        newest: Any = moments.max()
        if pd.isna(newest):
            return
        zone = None if newest.tzinfo else ZoneInfo(self.rule.options["zone"])
        latest = pd.Timestamp(self._now + datetime.timedelta(seconds=self.rule.options["ahead"]))
        latest = latest.tz_convert(zone).tz_localize(None) if zone else latest.tz_convert(newest.tzinfo)
        future = np.asarray((moments > latest).fillna(False), dtype=bool)
        self._future += int(future.sum())
        self._where += [start + int(row) for row in np.flatnonzero(future)[: SHOWN - len(self._where)]]
        # The newest of those that can be: one date of the year 2999 must not make old data fresh.
        newest = moments[~future].max()
        if pd.isna(newest):
            return
        moment = pd.Timestamp(newest).to_pydatetime(warn=False)
        moment = moment.replace(tzinfo=zone) if zone else moment
        self._newest = moment if self._newest is None else max(self._newest, moment)

    def _moments(self, series: Series) -> Series:
        """Return a column as timestamps, all of them with a time zone or none."""
        import pandas as pd

        if is_timestamps(series):
            return series
        if isinstance(series.dtype, pd.CategoricalDtype):
            series = series.astype(series.cat.categories.dtype)
        # As objects: pandas leaves Arrow's dates as they are.
        values = series.astype(object)
        text = values.map(str, na_action="ignore")
        # One time zone in the column, and all of it is told in UTC.
        utc = bool(text.str.contains(_OFFSET, na=False).any())
        found = pd.to_datetime(values, format="ISO8601", errors="coerce", utc=utc)
        unread = int((found.isna() & ~missing(series)).sum())
        if unread:
            raise InvalidError(
                f"{named(self.columns[0])} must hold dates for the rule 'fresh', and "
                f"{share(unread, len(series))} of a batch hold none",
                "Store it as timestamps, or as ISO dates such as 2026-01-31T12:00:00+01:00.",
            )
        return found

    def counted(self, rows: int) -> Counted:
        """Return how old the newest row is."""
        within, demand = self.rule.options["within"], must(self.columns[0], "be fresh")
        subject = shorten(self.columns[0])
        if self._future:
            return Counted(
                subject=subject,
                demand=f"{named(self.columns[0])} must not lie in the future",
                rows=rows,
                count=self._future,
                endings=("does", "do"),
                where=tuple(self._where),
                remedy="Correct the clock or the time zone (zone = 'Europe/Berlin'), or give the rule ahead.",
            )
        if self._newest is None:
            return Counted(
                subject=subject,
                demand=demand,
                rows=rows,
                holds=False,
                came="no row has a date",
                remedy=_NEWER,
            )
        age = (self._now - self._newest).total_seconds()
        return Counted(
            subject=subject,
            demand=must(self.columns[0], f"have a row of the last {lasting(within)}"),
            rows=rows,
            holds=age <= within,
            came=f"the newest one is {lasting(max(0.0, age))} old",
            examples=(self._newest.isoformat(),),
            remedy=_NEWER,
        )


_NEWER = "Fetch newer data, or correct the rule."


class Balance:
    """Rows of each class, to be compared with agreed shares."""

    def __init__(self, rule: DataRule, around: Around) -> None:  # noqa: ARG002
        self.rule = rule
        self.columns = (rule.options["column"],)
        self._classes: dict[str, int] = dict.fromkeys(rule.options["shares"], 0)

    def add(self, frame: pd.DataFrame, start: int) -> None:  # noqa: ARG002
        """Count the classes of a batch; rows without one are left out."""
        codes, values = factorized(frame[self.columns[0]])
        counts = np.bincount(codes[codes >= 0], minlength=len(values))
        for value, count in zip(values, counts, strict=True):
            if count:
                name = label(value)
                self._classes[name] = self._classes.get(name, 0) + int(count)
        if len(self._classes) > _MOST_CLASSES:
            raise InvalidError(
                f"{named(self.columns[0])} must hold classes for the rule 'balance', and has more than "
                f"{_MOST_CLASSES:,} different values",
                "Name another column, or use mean or quantile for numbers.",
            )

    def counted(self, rows: int) -> Counted:
        """Return the counts; what they mean is no question of counting."""
        return Counted(
            subject=shorten(self.columns[0]),
            demand=must(self.columns[0], "have the agreed shares"),
            rows=rows,
            classes=tuple(sorted(self._classes.items())),
        )


class Located:
    """The mean or a quantile of a column of numbers, between bounds."""

    def __init__(self, rule: DataRule, around: Around) -> None:  # noqa: ARG002
        self.rule = rule
        self.columns = (rule.options["column"],)
        self._parts: list[Any] = []

    def add(self, frame: pd.DataFrame, start: int) -> None:  # noqa: ARG002
        """Keep the numbers of a batch."""
        series = frame[self.columns[0]]
        if must_hold(series, NUMBERS, rule=self.rule.rule):
            there = hashable(series)[~missing(series)]
            self._parts.append(np.asarray(there.to_numpy(), dtype=np.float64))

    def counted(self, rows: int) -> Counted:
        """Return where it lies."""
        options = self.rule.options
        values = np.concatenate(self._parts) if self._parts else np.empty(0)
        self._parts = []
        low, high = options["at_least"], options["at_most"]
        what = "a mean" if self.rule.rule == "mean" else f"a {options['q'] * 100:g}% quantile"
        finite = bool(np.isfinite(values).all())
        if not len(values) or not finite:
            found = math.nan
        elif self.rule.rule == "mean":
            # Rounded once, so that neither batches nor the order of rows change a digit.
            found = math.fsum(values) / len(values)
        else:
            found = float(np.quantile(values, options["q"]))
        came = f"it is {found:.6g}" if finite else "some values are infinite"
        return Counted(
            subject=shorten(self.columns[0]),
            demand=must(self.columns[0], f"have {what} {_placed(low, high)}"),
            rows=rows,
            holds=math.isfinite(found) and (low is None or found >= low) and (high is None or found <= high),
            came=came if len(values) else "no row has a value",
        )


def _placed(low: float | None, high: float | None) -> str:
    words = bounds_in_words(low, high)
    return (
        f"of {words}"
        if low is None or high is None
        else words.replace("between", "from").replace(" and ", " to ")
    )


def lasting(seconds: float) -> str:
    """Return a duration in its largest fitting unit.

    Examples
    --------
    >>> lasting(604800), lasting(3600), lasting(90)
    ('7 days', '1 hour', '1.5 minutes')
    """
    units = {"day": 86_400, "hour": 3600, "minute": 60, "second": 1}
    name, size = next(((unit, size) for unit, size in units.items() if seconds >= size), ("second", 1))
    number = f"{seconds / size:,.1f}".removesuffix(".0")
    return f"{number} {name}{'s' * (number != '1')}"
