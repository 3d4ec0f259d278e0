"""What a search for slices that nobody named has to say: few lines, in words that a person can act on."""

from __future__ import annotations

from collections.abc import Iterator

from ..results import FoundSlice, SliceSearch, Verdict
from .escape import plain
from .numbers import decimals, number
from .table import Text, allowed, interval

#: Suspicions that are no proof are listed up to this number.
SUSPECTED = 3


def segments(search: SliceSearch, *, verbosity: int = 0) -> Iterator[Text]:
    """Render a search.

    Parameters
    ----------
    search : SliceSearch
        What it found.
    verbosity : int
        Above 0: every suspicion, what could have been found, and the columns that were not searched.
    """
    proven = [found for found in search.found if found.proven]
    others = [found for found in search.found if not found.proven and found.line.gain is not None]
    suspected = [found for found in others if _still_suspected(found)]
    yield Text(f"  {'segments':<11} {_searched(search)}", "warn" if proven else "")
    for found in proven:
        yield from _proven(found, fails=search.on_found == "fail")
    shown = suspected if verbosity > 0 else suspected[:SUSPECTED]
    for found in shown:
        yield Text(f"    suspected, not proven: {_what(found)}, {_numbers(found, search)}")
    if len(suspected) > len(shown):
        yield Text(f"    and {len(suspected) - len(shown)} more suspected, not proven (-v shows them)")
    if len(others) > len(suspected):
        count = len(others) - len(suspected)
        yield Text(
            f"    {count} looked worse on the rows that were searched, and {_does(count)} not on the others"
        )
    for found in search.found:
        if found.line.gain is None:
            yield Text(f"    not tested: {_what(found)}: {plain(found.line.reason)}")
    if search.detectable and (not proven or verbosity > 0):
        yield Text(f"    {_detectable(search)}")
    if verbosity > 0:
        yield Text(f"    columns: {plain(', '.join(search.columns))}")
        for name, reason in search.skipped:
            yield Text(f"    not searched: {plain(name)}: {plain(reason)}")


def proven_in_words(search: SliceSearch) -> str:
    """Return how many segments are proven worse; empty for none."""
    return f"{_count(search.proven, 'segment')} proven worse" if search.proven else ""


def _searched(search: SliceSearch) -> str:
    looked = f"{search.searched:,} in {_count(len(search.columns), 'column')}"
    tested = len(search.found)
    answer = "none is" if not search.proven else "1 is" if search.proven == 1 else f"{search.proven} are"
    if search.method == "max-t":
        return f"{looked}, all tested at once on {search.rows:,} rows: {answer} proven worse"
    if not tested:
        return f"{looked} searched on {search.rows:,} rows: none looks worse than tolerated"
    worst = "the worst" if tested == 1 else f"the {tested} worst"
    return (
        f"{looked} searched on {search.rows:,} rows, {worst} tested on the other {search.tested_rows:,}: "
        f"{answer} proven worse"
    )


def _proven(found: FoundSlice, *, fails: bool) -> Iterator[Text]:
    line, places = found.line, decimals(found.line)
    tone = "bad" if fails else "warn"
    level = "" if line.interval is None else f"{line.interval.level * 100:g}% interval "
    values = f"{number(line.reference, places)} -> {number(line.candidate, places)}"
    gain = f"gain {number(line.gain, places)}, {level}{interval(line, places)}"
    yield Text(f"    REGRESSED {_what(found)}", tone)
    yield Text(f"      {values} on the {line.n:,} tested, {gain}, allowed {allowed(line, places)}", tone)
    yield Text(f"      {_part(found, places)}", tone)
    if found.table:
        yield Text(f"      to judge it from now on: slices = [{plain(found.table)}]")


def _still_suspected(found: FoundSlice) -> bool:
    """Whether also the rows that test it say that it is worse than tolerated, though not surely."""
    gain = found.line.gain
    return found.line.verdict is Verdict.INCONCLUSIVE and gain is not None and gain < found.line.required


def _does(count: int) -> str:
    return "does" if count == 1 else "do"


def _what(found: FoundSlice) -> str:
    rows = _count(found.n, "row")
    return f"{plain(found.line.metric)} where {plain(found.line.slice)}: {rows} ({found.share * 100:.1f}%)"


def _numbers(found: FoundSlice, search: SliceSearch) -> str:
    line, places = found.line, decimals(found.line)
    # Where all rows were searched, the worst of many looks worse than it is.
    where = f"on the {line.n:,} tested" if search.method == "split" else "on the rows that it was found by"
    return f"gain {number(line.gain, places)} {interval(line, places)} {where}"


def _part(found: FoundSlice, places: int) -> str:
    elsewhere = (
        "" if found.elsewhere is None else f"; the gain elsewhere is {number(found.elsewhere, places)}"
    )
    if found.loss_share is None:
        return f"all rows together lose nothing{elsewhere}"
    if found.loss_share > 1:
        return f"these rows make up more than the whole loss{elsewhere}"
    return f"these rows make up {max(found.loss_share, 0.0) * 100:.0f}% of the loss{elsewhere}"


def _detectable(search: SliceSearch) -> str:
    share = f"{(search.detectable_share or 0.0) * 100:.3g}%"
    sizes = " or ".join(f"{size:.2g} ({plain(metric)})" for metric, size in search.detectable)
    return f"a segment with {share} of the rows that lost {sizes} would be proven worse in four of five cases"


def _count(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'s' * (count != 1)}"
