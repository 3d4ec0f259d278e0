"""Several candidates of one gate as lines: who is first, how sure that is, why others may not ship."""

from __future__ import annotations

from collections.abc import Iterator

from ..results import Leaderboard, Line, Standing, Verdict
from ..wording import plural
from .escape import plain
from .numbers import decimals, number
from .table import Text, interval, word_of

_SHARED = {
    "max-t": "shared by how the candidates hang together (max-T)",
    "bonferroni": "shared equally (Bonferroni)",
    "ledger": "each a use of the holdout",
}
_AGAINST = {"regression": "production", "baseline": "the baseline", "floor": "the floor"}


def leaderboard(board: Leaderboard) -> Iterator[Text]:
    """Render the candidates from the best."""
    places = max((decimals(each.line) for each in board.standings if each.line is not None), default=4)
    yield Text(f"  {'candidates':<11} {_head(board)}")
    rows = [_row(each, board, places) for each in board.standings]
    widths = [max(len(row[place]) for row in rows) for place in range(len(rows[0]))] if rows else []
    for each, row in zip(board.standings, rows, strict=True):
        said = "   ".join(f"{text:<{width}}" for text, width in zip(row, widths, strict=True)).rstrip()
        yield Text(f"    {said}", "good" if each.verdict is Verdict.PASS else "bad")
        if each.verdict is not Verdict.PASS:
            yield Text(f"       {plain(each.reason)}", "bad")


def _head(board: Leaderboard) -> str:
    first = next((each.line for each in board.standings if each.line is not None), None)
    by = "" if first is None else f" by the gain in {plain(board.metric)} over {_AGAINST[first.question]}"
    if len(board.standings) == 1:
        return f"1 candidate{by}"
    at = f"alpha {board.alpha:g} for all {len(board.standings)}, {_SHARED[board.correction]}"
    level = "" if board.correction == "ledger" else f": {board.level:.3g} for each"
    return f"{plural(len(board.standings), 'candidate')}{by}; {at}{level}"


def _row(each: Standing, board: Leaderboard, places: int) -> tuple[str, ...]:
    name = plain(each.source)
    if each.resolved not in ("", each.source):
        name += f" -> {plain(each.resolved)}"
    shown = each.resolved and each.resolved == board.winner and each.verdict is Verdict.PASS
    use = "" if each.holdout is None else f"use {each.holdout.number}"
    return (
        "-" if each.rank is None else f"{each.rank}",
        name,
        _gain(each.line, places),
        word_of(each.verdict) + (", decides" if shown else ""),
        _beside(each, board),
        use,
    )


def _gain(line: Line | None, places: int) -> str:
    if line is None or line.gain is None:
        return "-"
    level = "" if line.interval is None else f" {line.interval.level * 100:.4g}%"
    return f"{number(line.gain, places)} {interval(line, places)}{level}"


def _beside(each: Standing, board: Leaderboard) -> str:
    """Say how a candidate stands to the first."""
    if each.rank is None:
        return "not ranked"
    if each.rank == 1:
        ties = sum(not other.behind and other.rank is not None for other in board.standings) - 1
        return "the best" if not ties else f"the best, by chance or not: {ties} cannot be told apart"
    return "proven worse than the best" if each.behind else "cannot be told apart from the best"
