"""What a model promises beside its predictions: one answer per row, types and levels that fit the data."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from ..data.mixing import Words
from ..data.row_sketch import words_of
from ..data.table import missing
from ..errors import ModelGateError, UnavailableError
from ..hooks import DatasetProtocol, ModelProtocol, types_of
from ..models.levels import known_levels
from ..models.repeat import Unsteady, part, unsteady
from ..models.scoring import Scored, join
from ..results import Check, Finding, Verdict
from ..spec import Contracts, Role
from ..wording import example, plural, some

NAME = "contract"

#: Rows that are asked again: one in 64 of the dataset, within these.
FEWEST, MOST = 64, 512
#: Numeric columns that choose them; the others decide between rows that are equal in these.
_CHOOSING = 3
#: None of fewer values is known by chance.
_FEW = 10

#: Types as models and datasets call them -> what they hold. A category may hold anything.
_KINDS = (
    (("bool",), "boolean"),
    (("timestamp", "datetime", "date"), "times"),
    (("int", "uint", "float", "double", "long", "short", "decimal", "number"), "numbers"),
    (("string", "str", "text"), "text"),
)


class Sampled:
    """Rows that are asked again, chosen by what they hold: the order of the dataset changes nothing.

    Parameters
    ----------
    size : int
        How many.
    """

    def __init__(self, size: int) -> None:
        self.size = size
        self.frame = pd.DataFrame()
        self.said: dict[Role, Scored] = {}
        self.seen = 0
        self._words: Words = np.empty(0, dtype=np.uint64)

    @property
    def rows(self) -> int:
        """How many rows are asked again."""
        return min(self.size, self.seen)

    def add(self, frame: pd.DataFrame, said: Mapping[Role, Scored]) -> None:
        """Look at a batch and what was said about it."""
        self.seen += len(frame)
        if not len(frame):
            return
        cheap = words_of(_choosing(frame))
        at = np.arange(len(frame))
        if len(frame) > self.size:
            at = np.flatnonzero(cheap <= np.partition(cheap, self.size - 1)[self.size - 1])
        chosen = frame.iloc[at]
        words = np.concatenate([self._words, cheap[at]])
        together = _together(self.frame, chosen) if len(self.frame) else chosen
        # All columns of these few rows take longer than three of all rows, so they are asked where rows tie.
        tied = len(np.unique(words)) < len(words)
        order = np.lexsort((words_of(together), words)) if tied else np.argsort(words)
        kept = order[: self.size]
        self.frame = together.iloc[kept].reset_index(drop=True)
        self._words = words[kept]
        for role, scored in said.items():
            now = part(scored, at)
            before = self.said.get(role)
            self.said[role] = part(now if before is None else join([before, now], role=role), kept)


def _together(one: pd.DataFrame, other: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of both; categories stay categories where two batches have different ones."""
    found = pd.concat([one, other], ignore_index=True)
    for name, dtype in one.dtypes.items():
        if isinstance(dtype, pd.CategoricalDtype) and isinstance(other[name].dtype, pd.CategoricalDtype):
            both = pd.api.types.union_categoricals([one[name], other[name]], ignore_order=True)
            found[name] = both
    return found


def _choosing(frame: pd.DataFrame) -> pd.DataFrame:
    numeric = [str(name) for name, dtype in frame.dtypes.items() if getattr(dtype, "kind", "O") in "fiu"]
    return frame[sorted(numeric)[:_CHOOSING]] if numeric else frame


def sample_size(rows: int) -> int:
    """Return how many of so many rows are asked again.

    Examples
    --------
    >>> sample_size(1_000), sample_size(20_000), sample_size(10_000_000)
    (64, 312, 512)
    """
    return min(MOST, max(FEWEST, rows // 64))


def looked_up(model: ModelProtocol) -> bool:
    """Whether a model only looks up what was predicted elsewhere: it promises nothing."""
    return model.kind == "predictions"


def contract(
    asked: Contracts,
    models: Mapping[Role, ModelProtocol],
    dataset: DatasetProtocol,
    features: Mapping[Role, Sequence[str]],
    sampled: Sampled,
    wants: Sequence[str],
    *,
    known: Mapping[Role, Sequence[Finding]] | None = None,
    kept: Callable[[Role, Sequence[Finding]], None] | None = None,
) -> Check | None:
    """Return whether the models keep what they promise.

    What the candidate breaks fails the gate; what production or the baseline break is said: they are not
    the ones that want to ship.

    Parameters
    ----------
    asked : Contracts
        What is asked.
    models : mapping
        The loaded models by role.
    dataset : DatasetProtocol
        The judged data.
    features : mapping
        The columns that each model reads.
    sampled : Sampled
        Rows that were chosen, and what was said about them.
    wants : sequence of str
        As the models were asked.
    known : mapping, optional
        What was found of a model before, on these very rows: it is not asked again.
    kept : callable, optional
        ``kept(role, findings)`` is told of a steady model, and what else was found of it.

    Returns
    -------
    Check or None
        ``None``: nothing was asked, or no model is one that predicts.
    """
    predicting = {role: model for role, model in models.items() if not looked_up(model)}
    steady = asked.determinism or asked.row_independence
    if not predicting or not (steady or asked.signature):
        return None
    found: list[Finding] = []
    done: dict[int, Role] = {}
    for role, model in predicting.items():
        if id(model) in done:  # one model in two roles breaks one promise
            continue
        done[id(model)] = role
        before = None if known is None else known.get(role)
        if before is not None:
            found += [_said(replace(item, subject=role), asked, role) for item in before]
            continue
        own: list[Finding] = []
        if asked.signature:
            own += _types_against(role, types_of(model), dict(dataset.columns), "the dataset has")
            own += _unseen(role, model, sampled.frame)
        shaky = list(_steady(asked, role, model, sampled, features[role], wants)) if steady else []
        if steady and not shaky and kept is not None:
            kept(role, own)
        own += shaky
        found += [_said(item, asked, role) for item in own]
    differ = ""
    if asked.signature and {"candidate", "production"} <= set(predicting):
        candidate, production = predicting["candidate"], predicting["production"]
        differ = _features_differ(candidate.columns, production.columns)
        found += [
            _said(item, asked, "production")
            for item in _types_against(
                "candidate", types_of(candidate), types_of(production), "production expects"
            )
        ]
    failing = [item for item in found if item.severity == "fail"]
    rows = plural(sampled.rows, "row")
    summary = (
        f"ok, {rows} asked again in other order and company"
        if asked.row_independence
        else (f"ok, {rows} asked again" if asked.determinism else "ok")
    )
    if failing:
        summary = failing[0].problem
    elif found:
        summary = f"{plural(len(found), 'warning')}, {rows} looked at"
    return Check(
        name=NAME,
        verdict=Verdict.INVALID if failing else Verdict.PASS,
        summary=summary + (f"; {differ}" if differ and not failing else ""),
        findings=tuple(found),
    )


def _said(finding: Finding, asked: Contracts, role: Role) -> Finding:
    warns = asked.severity == "warn" or role != "candidate" or finding.severity == "warn"
    return replace(
        finding, problem=f"the {finding.subject} {finding.problem}", severity="warn" if warns else "fail"
    )


def _steady(
    asked: Contracts,
    role: Role,
    model: ModelProtocol,
    sampled: Sampled,
    features: Sequence[str],
    wants: Sequence[str],
) -> Iterable[Finding]:
    rows = len(sampled.frame)
    found = unsteady(
        model,
        sampled.frame[list(features)],
        sampled.said[role],
        wants,
        role=role,
        tolerance=asked.tolerance,
        determinism=asked.determinism,
        row_independence=asked.row_independence,
    )
    return () if found is None else (_unsteady(found, role, rows),)


def _unsteady(found: Unsteady, role: Role, rows: int) -> Finding:
    if found.error is not None:
        if isinstance(found.error, UnavailableError):
            raise found.error
        return Finding(
            subject=role,
            problem=f"predicts the rows together and cannot predict parts of them: {_what(found.error)}",
            remedy="A served model gets single rows: it must be able to predict one.",
            rule="row_independence",
        )
    by = "" if found.largest is None else f", by up to {found.largest:.2g}"
    many = f"{found.rows:,} of {plural(rows, 'row')} differ{by}"
    if found.kind == "random":
        return Finding(
            subject=role,
            problem=f"gives other predictions when it is asked again: {many}",
            remedy="Fix its seed, and switch off what draws at random while predicting (dropout, sampling).",
            count=found.rows,
            rule="determinism",
        )
    return Finding(
        subject=role,
        problem=f"predicts a row otherwise in another batch or order of rows: {many}",
        remedy="Take means, ranks and neighbours from the training data, not from the rows of a batch.",
        count=found.rows,
        rule="row_independence",
    )


def _what(error: ModelGateError) -> str:
    return error.what.rstrip(".")


def _types_against(role: str, own: Mapping[str, str], others: Mapping[str, str], whose: str) -> list[Finding]:
    """Return the columns that a model states to be of another kind than they are elsewhere."""
    found = []
    for name, stated in own.items():
        if name not in others:
            continue
        ours, theirs = _kind(stated), _kind(others[name])
        if ours and theirs and ours != theirs and {ours, theirs} != {"numbers", "boolean"}:
            found.append(
                Finding(
                    subject=role,
                    problem=f"expects {ours} in column '{name}' ({stated}), {whose} {theirs} "
                    f"({others[name]})",
                    remedy="Log the model with the signature of the data that it is given.",
                    rule="signature",
                )
            )
    return found


def _kind(type_name: str) -> str:
    """Return what a type holds; empty where that cannot be said.

    Examples
    --------
    >>> _kind("int64"), _kind("double"), _kind("tensor(float)"), _kind("category[string]")
    ('numbers', 'numbers', 'numbers', '')
    """
    text = type_name.lower().removeprefix("tensor(")
    return next((kind for starts, kind in _KINDS if text.startswith(starts)), "")


def _unseen(role: str, model: ModelProtocol, frame: pd.DataFrame) -> Iterable[Finding]:
    """Return the columns with values that the model's encoder did not see in training."""
    for name, levels in known_levels(model).items():
        if name not in frame:
            continue
        column = frame[name].astype(object)
        there = ~missing(frame[name])
        new = there & ~column.isin(list(levels)).to_numpy()
        count = int(new.sum())
        if not count:
            continue
        every = count == int(there.sum()) and count >= _FEW
        yield Finding(
            subject=role,
            problem=f"did not see in training {'any value' if every else 'some values'} of column '{name}': "
            f"{count:,} of {plural(len(frame), 'row')}",
            remedy=f"It knows {plural(len(levels), 'value')}: give it the values that it was trained on."
            if every
            else "See how it treats them; drift = ... counts them in all rows.",
            count=count,
            examples=tuple(example(value) for value in dict.fromkeys(column[new].tolist()))[:3],
            rule="levels",
            severity="fail" if every else "warn",
        )


def _features_differ(candidate: Sequence[str] | None, production: Sequence[str] | None) -> str:
    """Say which features only one of the two reads."""
    if candidate is None or production is None or set(candidate) == set(production):
        return ""
    more = [name for name in candidate if name not in production]
    less = [name for name in production if name not in candidate]
    said = [f"reads {some(more, 3)}"] if more else []
    said += [f"does not read {some(less, 3)}"] if less else []
    return f"unlike production, the candidate {' and '.join(said)}"
