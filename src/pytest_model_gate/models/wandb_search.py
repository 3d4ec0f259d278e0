"""``wandb-search:``: the best finished run of a project of W&B that logged a model, and of how many."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..errors import ConfigurationError, EvaluationError, UnavailableError
from ..redact import redact
from ..wandb_calls import server
from ..wording import did_you_mean, plural, shorten, some
from .best_run import MOST_RUNS, best_first, parts, with_number

if TYPE_CHECKING:
    from wandb import Api
    from wandb.apis.public import Run

PREFIX = "wandb-search:"

#: Each costs a question of its own: whether it logged a model.
_MOST_ASKED = 50
_PAGE = 200
_PROJECT = re.compile(r"[^/:#@]+/[^/:#@]+")
_ORDER = re.compile(r"(?P<way>[+-])summary(?:_metrics)?\.(?P<metric>.+)")
_FORM = "Write wandb-search:entity/project?order=-summary.val_auc, with &filters=... for some of its runs."


@dataclass(frozen=True, slots=True)
class Search:
    """What is searched for.

    Parameters
    ----------
    project : str
        ``entity/project``.
    filters : str
        JSON, as the client of W&B takes it. Empty: all runs.
    metric : str
        The number of a run's summary by which the best is told.
    largest : bool
        Whether the largest value is the best.
    model : str
        Which of a run's artifacts. Empty: its only one of type ``model``.
    """

    project: str
    filters: str
    metric: str
    largest: bool
    model: str


def read_search(source: str) -> Search:
    """Understand ``wandb-search:entity/project?filters={...}&order=-summary.val_auc&model=NAME``.

    Raises
    ------
    ConfigurationError
        Says what is missing, or unknown.

    Examples
    --------
    >>> read_search("wandb-search:team/credit?order=+summary.val_loss")
    Search(project='team/credit', filters='', metric='val_loss', largest=False, model='')
    """
    project, given = parts(source, ("filters", "order", "model"), 'Join filters by {"$and": [...]}.')
    order = _ORDER.fullmatch(given.get("order", ""))
    if not _PROJECT.fullmatch(project) or order is None:
        what = (
            "names no project"
            if not _PROJECT.fullmatch(project)
            else "does not say by which number of the summary a run is the best"
            if not given.get("order")
            else f"has order = {shorten(given['order'])!r}, which is not + or - and one number of the summary"
        )
        raise ConfigurationError(f"'{redact(source)}' {what}.", _FORM)
    filters = given.get("filters", "")
    if filters:
        _as_filters(filters)
    return Search(
        project=project,
        filters=filters,
        metric=order["metric"],
        largest=order["way"] == "-",
        model=given.get("model", ""),
    )


def _as_filters(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except ValueError as error:
        raise ConfigurationError(
            f"The filters {shorten(text, 80)!r} are no JSON: {error}.",
            'Write them as the client of W&B takes them: {"config.depth": 4}.',
        ) from None
    if not isinstance(found, dict):
        raise ConfigurationError(
            f"The filters {shorten(text, 80)!r} are no object of JSON.",
            'Write them as the client of W&B takes them: {"config.depth": 4}.',
        )
    return found


def best_run(api: Api, source: str) -> tuple[Run, int, Search]:
    """Return the best run that a search finds, of how many it is the best, and what was searched for.

    The best one that logged a model is taken; what did better without one is counted, as it was looked at.

    Raises
    ------
    ModelGateError
        If there is no project, no run, no number or no model.
    """
    search = read_search(source)
    runs = _runs(api, search)
    where = f"{search.project} at {server()}"
    number = f"summary.{search.metric}"
    if not runs:
        fits = f" fits the filters {shorten(search.filters, 80)!r}" if search.filters else " is there"
        raise UnavailableError(
            f"No finished run of {where}{fits}.",
            "Only runs with the state finished are chosen from; check the filters."
            if search.filters
            else "Only runs with the state finished are chosen from: train one.",
        )
    found = with_number(runs, lambda run: value_of(run.summary_metrics, search.metric))
    if not found:
        raise _no_numbers(runs, search, where)
    ordered = best_first(found, lambda run: (str(run.created_at), str(run.id)), largest=search.largest)
    for run in ordered[:_MOST_ASKED]:
        logged = [(str(one.name).partition(":")[0], str(one.type)) for one in run.logged_artifacts()]
        if any(name == search.model if search.model else kind == "model" for name, kind in logged):
            return run, len(ordered), search
    best = f"the best {_MOST_ASKED:,} of " if len(ordered) > _MOST_ASKED else ""
    raise UnavailableError(
        f"None of {best}the {plural(len(ordered), 'finished run')} with {number} of {where} logged an "
        f"artifact{f' {search.model!r}' if search.model else ' of type model'}.",
        "Log it in the run that logs the number: run.log_artifact(..., type='model').",
    )


def value_of(summary: Any, metric: str) -> Any:
    """Return a number of a summary by its name; a dot may be part of a name, or lead into a nested value.

    Examples
    --------
    >>> value_of({"val.auc": 0.9}, "val.auc"), value_of({"auc": {"max": 0.9}}, "auc.max")
    (0.9, 0.9)
    """
    try:
        if metric in summary:
            return summary[metric]
        first, dot, rest = metric.partition(".")
        return value_of(summary[first], rest) if dot else None
    except (KeyError, TypeError):
        return None


def _runs(api: Api, search: Search) -> list[Run]:
    finished: dict[str, Any] = {"state": "finished"}
    filters = {"$and": [finished, _as_filters(search.filters)]} if search.filters else finished
    runs: list[Run] = []
    try:
        for run in api.runs(search.project, filters=filters, per_page=_PAGE, lazy=False):
            runs.append(run)
            if len(runs) > MOST_RUNS:
                raise EvaluationError(
                    f"More than {MOST_RUNS:,} finished runs of {search.project} at {server()} would be "
                    "chosen from.",
                    'Narrow the search by filters, for example &filters={"tags": "release"}.',
                )
    except ValueError as error:
        if "Could not find project" not in str(error):
            raise
        raise UnavailableError(
            f"There is no project {search.project} at {server()}.",
            "Check entity and project, and that WANDB_API_KEY may read it.",
        ) from None
    return runs


def _no_numbers(runs: list[Run], search: Search, where: str) -> UnavailableError:
    having = [run for run in runs if value_of(run.summary_metrics, search.metric) is not None]
    if having:
        return UnavailableError(
            f"summary.{search.metric} is no finite number in every finished run of {where} that has it "
            f"({plural(len(having), 'run')}).",
            "Choose by another number, or train again.",
        )
    known = sorted(
        {str(name) for run in runs for name in run.summary_metrics if not str(name).startswith("_")}
    )
    return UnavailableError(
        f"No finished run of {where} has summary.{search.metric}.",
        did_you_mean(
            search.metric, known, f"They have: {some(known)}." if known else "Their summaries are empty."
        ),
    )
