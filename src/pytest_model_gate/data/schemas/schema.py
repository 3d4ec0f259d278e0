"""Check a dataset against a pandera schema: all failures at once, in words and with exact counts.

The schema only judges. Where it coerces types or runs parsers, that happens to a copy that nobody else sees:
models score the dataset as it is, and the check's summary says what was coerced. What would make a failure
disappear (dropping invalid rows, filling defaults, adding missing columns) is switched off.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from ...errors import EvaluationError
from ...hooks import DatasetProtocol
from ...importing import importable
from ...policy import check_verdict
from ...results import Check, Finding, Verdict
from ...spec import SourceContext
from ...wording import one_line, plural, shorten, some
from ..columns import check_unique
from .findings import broken_rules
from .rules import ROW_BY_ROW, Broken
from .schema_file import load_schema, quiet_pandera

if TYPE_CHECKING:
    import pandas as pd


def validate(
    schema: str, data: DatasetProtocol | pd.DataFrame, context: SourceContext, *, redact: bool = False
) -> Check:
    """Return whether a dataset keeps its schema.

    Parameters
    ----------
    schema : str
        ``package.module:Name`` of a pandera DataFrameModel or DataFrameSchema, or a YAML or JSON file.
    data : DatasetProtocol or DataFrame
        A dataset is read in batches where every rule is about single values, and as a whole otherwise
        (uniqueness, checks of one's own, checks across columns).
    context : SourceContext
        Where paths and modules start from.
    redact : bool
        Whether findings show no values; counts and row numbers remain.

    Returns
    -------
    Check
        Named ``"schema"``: ``invalid`` with one finding per broken rule; ``error`` where checks
        failed to run and nothing else is wrong.
    """
    judge, advisory = _judging_copy(load_schema(schema, context.root))
    tally = _Tally([shorten(str(name)) for name in judge.columns], advisory, redact=redact)
    with importable(context.root):
        for frame in _frames(judge, data):
            tally.add(judge, frame, schema)
    return tally.check()


def _judging_copy(schema: Any) -> tuple[Any, list[Any]]:
    """Return a copy of a schema that hides no failure, and those of its checks that only warn."""
    schema = copy.deepcopy(schema)
    schema.drop_invalid_rows = False
    schema.add_missing_columns = False
    for column in schema.columns.values():
        column.drop_invalid_rows = False
        column.default = None
        for check in column.checks:
            # Counts are read off the check's own output: pandera needs no more cases than we show.
            check.n_failure_cases = 3
    advisory = [check for check in _checks(schema) if check.raise_warning]
    for check in advisory:
        # A warning would say it without a count, and be an error under -W error.
        check.raise_warning = False
    return schema, advisory


def _checks(schema: Any) -> list[Any]:
    return [*schema.checks, *(check for column in schema.columns.values() for check in column.checks)]


def _frames(schema: Any, data: DatasetProtocol | pd.DataFrame) -> Iterator[pd.DataFrame]:
    import pandas as pd

    if isinstance(data, pd.DataFrame):
        check_unique([str(name) for name in data.columns], "The frame")
        yield data
    elif _row_by_row(schema):
        yield from data.batches()
    else:
        parts = list(data.batches())
        yield parts[0] if len(parts) == 1 else pd.concat(parts, ignore_index=True)


def _row_by_row(schema: Any) -> bool:
    """Whether every rule can be told from single values, so that batches give the same answer."""
    if schema.unique or schema.checks or _parses(schema) or schema.index is not None:
        return False
    return not any(column.unique for column in schema.columns.values()) and all(
        check.name in ROW_BY_ROW and check.statistics and check.groupby is None for check in _checks(schema)
    )


def _parses(schema: Any) -> bool:
    return bool(schema.parsers or any(column.parsers for column in schema.columns.values()))


class _Tally:
    """What is broken, over all batches."""

    def __init__(self, names: list[str], advisory: list[Any], *, redact: bool) -> None:
        self._redact = redact
        self._names = names
        self._warns = advisory
        self._rows = 0
        self._columns = 0
        self._broken: dict[tuple[str, str, int], Broken] = {}
        self._advisory: set[tuple[str, str, int]] = set()
        self._changed: dict[str, None] = {}

    def add(self, schema: Any, frame: pd.DataFrame, text: str) -> None:
        """Validate some rows."""
        from pandera.errors import SchemaErrors

        self._rows += len(frame)
        self._columns = frame.shape[1]
        try:
            seen = _run(schema, frame)
        except SchemaErrors as errors:
            seen = errors.data
            for broken, check in broken_rules(errors.schema_errors, frame):
                self._count(broken, check)
        except Exception as error:
            raise EvaluationError(
                f"The schema '{text}' could not be checked: pandera failed with {one_line(error)}.",
                "Validate a few rows with the schema by hand to see the whole traceback.",
            ) from error
        self._changed.update(dict.fromkeys(_changes(schema, frame, seen)))

    def _count(self, broken: Broken, check: Any) -> None:
        # Two checks of one column may have the same words (two lambdas, say) and are still two.
        key = (broken.subject, broken.rule, id(check))
        if key in self._broken:
            self._broken[key].add(broken)
        else:
            self._broken[key] = broken
        if any(check is warning for warning in self._warns):
            self._advisory.add(key)

    def check(self) -> Check:
        """Return the check over all rows."""
        if not self._rows and not self._broken:
            empty = Finding(
                subject="dataset",
                problem="The dataset has no rows, so no rule about values could be checked.",
                remedy="Check how the dataset was made.",
            )
            return Check(name="schema", verdict=Verdict.INVALID, summary="no rows", findings=(empty,))
        told = [
            (
                broken,
                broken.finding(self._rows, "warn" if key in self._advisory else "fail", redact=self._redact),
            )
            # By the schema's order: that of the batches must not show.
            for key, broken in sorted(
                self._broken.items(), key=lambda item: (self._position(item[1].subject), item[1].place)
            )
        ]
        failing = [finding for _, finding in told if finding.severity == "fail"]
        subjects = dict.fromkeys(finding.subject for finding in failing)
        summary = f"{plural(len(failing), 'problem')}: {some(subjects, 4)}" if failing else self._passed()
        return Check(
            name="schema",
            verdict=check_verdict(
                [finding for broken, finding in told if not broken.unchecked],
                unknown=[finding for broken, finding in told if broken.unchecked],
            ),
            summary=summary,
            findings=tuple(finding for _, finding in told),
        )

    def _position(self, subject: str) -> int:
        return self._names.index(subject) if subject in self._names else len(self._names)

    def _passed(self) -> str:
        said = [f"ok, {self._columns} column{'' if self._columns == 1 else 's'}"]
        said += [plural(len(self._broken), "warning")] if self._broken else []
        if self._changed:
            said.append(f"checked on a copy with {some(self._changed, 4)}, which models do not get")
        return "; ".join(said)


def _run(schema: Any, frame: pd.DataFrame) -> pd.DataFrame:
    from pandera.config import ValidationDepth, config_context

    # The environment can switch pandera off; a check that was switched off must not pass.
    with (
        quiet_pandera(),
        config_context(validation_enabled=True, validation_depth=ValidationDepth.SCHEMA_AND_DATA),
    ):
        # Coercion replaces columns of the shallow copy and writes no values; parsers may do anything.
        inplace = schema.strict != "filter" and not _parses(schema)
        seen: pd.DataFrame = schema.validate(frame.copy(deep=False), lazy=True, inplace=inplace)
    return seen


def _changes(schema: Any, before: pd.DataFrame, after: pd.DataFrame) -> list[str]:
    """Return how the frame that passed differs from the one that models get."""
    changes = [
        f"{shorten(name)} as {after[name].dtype} (from {before[name].dtype})"
        for name in before.columns
        if name in after.columns and before[name].dtype != after[name].dtype
    ]
    if _parses(schema):
        changes.append("the schema's parsers applied")
    return changes
