"""What was counted against one rule, before anybody judges it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from ...wording import share, shorten

#: So many values and row numbers are shown.
SHOWN = 3

REMEDY = "Correct the data where it is made, or the rule if it is wrong."


@dataclass(frozen=True, kw_only=True)
class Counted:
    """Facts about the rows, and the sentence that says them.

    Parameters
    ----------
    subject : str
        The column, or ``"dataset"``.
    demand : str
        What must be true, without a full stop: ``"Column 'age' must be at least 18"``.
    rows : int
        Rows of the dataset.
    count : int or None
        Rows that break it; ``None`` where the rule is about all rows at once.
    limit : int or float
        Rows (or the share of them) that may.
    endings : (str, str)
        What one row does, and what several do.
    holds : bool or None
        For rules about all rows at once. ``None``: ``count`` and ``limit`` tell, or ``classes``.
    came : str
        What came, for rules about all rows at once: ``"they are 12"``.
    detail : str
        Said after the count: ``"2 new levels"``.
    examples : tuple of str
        A few values.
    where : tuple of int
        The first few rows that break it.
    remedy : str
        What to do.
    unknown : bool
        Whether nobody knows, because the rule could not be counted.
    classes : tuple of (str, int)
        Rows of each class, for rules that need statistics.
    """

    subject: str
    demand: str
    rows: int
    count: int | None = None
    limit: int | float = 0
    endings: tuple[str, str] = ("breaks it", "break it")
    holds: bool | None = None
    came: str = ""
    detail: str = ""
    examples: tuple[str, ...] = ()
    where: tuple[int, ...] = ()
    remedy: str = REMEDY
    unknown: bool = False
    classes: tuple[tuple[str, int], ...] = ()

    @property
    def allowed(self) -> float:
        """How many rows may break it."""
        return self.limit if isinstance(self.limit, int) else self.limit * self.rows

    @property
    def problem(self) -> str:
        """The sentence for a rule that does not hold."""
        if self.count is None:
            return f"{self.demand}; {self.came}." if self.came else f"{self.demand}."
        text = f"{self.demand}; {share(self.count, self.rows)} {self.endings[self.count != 1]}"
        if self.limit:
            text += f", and at most {limit_text(self.limit)} may"
        return f"{text}: {self.detail}." if self.detail else f"{text}."

    def without_values(self) -> Counted:
        """Return the same with no value of the data in it."""
        return replace(self, examples=())


def limit_text(limit: int | float) -> str:
    """Return a limit as a user would say it.

    Examples
    --------
    >>> limit_text(12), limit_text(0.02)
    ('12', '2%')
    """
    return f"{limit:,}" if isinstance(limit, int) else f"{limit * 100:g}%"


def named(column: str) -> str:
    """Return how sentences name a column."""
    return f"Column '{shorten(column)}'"
