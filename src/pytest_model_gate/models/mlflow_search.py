"""``mlflow-search:``: the best finished run of an MLflow experiment that logged a model, and of how many."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ..errors import ConfigurationError, EvaluationError, UnavailableError
from ..mlflow_calls import Server
from ..redact import redact
from ..wording import did_you_mean, first_line, plural, shorten, some
from .best_run import MOST_RUNS, best_first, chosen, parts, with_number

PREFIX = "mlflow-search:"

_PAGE = 1_000
_ORDER = re.compile(
    r"metrics\.(`(?P<quoted>[^`]+)`|\"(?P<double>[^\"]+)\"|(?P<plain>\S+))\s+(?P<way>asc|desc)", re.I
)
_FORM = "Write mlflow-search:EXPERIMENT?order_by=metrics.val_auc DESC, with &filter=... for some of its runs."


@dataclass(frozen=True, slots=True)
class Search:
    """What is searched for.

    Parameters
    ----------
    experiment : str
        Its name.
    filter : str
        As MLflow writes it. Empty: all runs.
    metric : str
        By which the best is told.
    largest : bool
        Whether the largest value is the best.
    model : str
        Which of a run's models. Empty: its only one.
    """

    experiment: str
    filter: str
    metric: str
    largest: bool
    model: str


@dataclass(frozen=True, slots=True)
class Best:
    """The run that was found.

    Parameters
    ----------
    run, model : str
        Its id, and the name of its model.
    among : int
        Of how many runs it is the best.
    metric : str
        By what.
    """

    run: str
    model: str
    among: int
    metric: str

    @property
    def resolved(self) -> str:
        """The address of the model, and how it was chosen."""
        return f"runs:/{self.run}/{self.model} {chosen(self.among, f'metrics.{self.metric}')}"


def read_search(source: str) -> Search:
    """Understand ``mlflow-search:EXPERIMENT?filter=...&order_by=metrics.val_auc DESC&model=NAME``.

    Raises
    ------
    ConfigurationError
        Says what is missing, or unknown.

    Examples
    --------
    >>> read_search("mlflow-search:credit?order_by=metrics.val_loss ASC")
    Search(experiment='credit', filter='', metric='val_loss', largest=False, model='')
    """
    experiment, given = parts(source, ("filter", "order_by", "model"), "Join filters by 'and'.")
    order = _ORDER.fullmatch(given.get("order_by", ""))
    if not experiment or order is None:
        what = (
            "names no experiment"
            if not experiment
            else "does not say by which metric a run is the best"
            if not given.get("order_by")
            else f"has order_by = {shorten(given['order_by'])!r}, which is not one metric and ASC or DESC"
        )
        raise ConfigurationError(f"'{redact(source)}' {what}.", _FORM)
    metric = order["quoted"] or order["double"] or order["plain"]
    if metric.startswith("model_gate/"):
        raise ConfigurationError(
            f"'{redact(source)}' orders by {shorten(metric)!r}, which a gate found on its holdout: rows that "
            "choose the candidate cannot judge it any more.",
            "Order by a metric of other rows, such as those that training validates on.",
        )
    return Search(
        experiment=experiment,
        filter=given.get("filter", ""),
        metric=metric,
        largest=order["way"].lower() == "desc",
        model=given.get("model", "").strip("/"),
    )


def best_run(client: Any, source: str, server: Server) -> Best:
    """Return the best run that a search finds.

    Raises
    ------
    ModelGateError
        If there is no experiment, no run, no number or no model.
    """
    search = read_search(source)
    experiment = _experiment(client, search, server)
    runs = list(_runs(client, experiment, search, server))
    where = f"experiment '{search.experiment}' at {redact(server.tracking)}"
    if not runs:
        fits = f" fits the filter {shorten(redact(search.filter), 80)!r}" if search.filter else ""
        raise UnavailableError(
            f"No finished run of {where}{fits}{'' if fits else ' is there'}.",
            "Only runs with the status FINISHED are chosen from; check the filter."
            if fits
            else "Only runs with the status FINISHED are chosen from: train one.",
        )
    found = with_number(runs, lambda run: run.data.metrics.get(search.metric, math.nan))
    if not found:
        raise _no_numbers(runs, search, where)
    logged = [(value, run) for value, run in found if _has_model(run)]
    if not logged:
        raise UnavailableError(
            f"None of the {plural(len(found), 'finished run')} with metrics.{search.metric} of {where} "
            "logged a model.",
            "Log it in the run that logs the metric: mlflow.sklearn.log_model(model, name='model').",
        )
    run = best_first(
        logged, lambda each: (each.info.start_time or 0, each.info.run_id), largest=search.largest
    )[0]
    return Best(
        run=str(run.info.run_id),
        model=_model(client, experiment, run, search),
        among=len(logged),
        metric=search.metric,
    )


def _experiment(client: Any, search: Search, server: Server) -> str:
    found = client.get_experiment_by_name(search.experiment)
    if found is not None and found.lifecycle_stage == "active":
        return str(found.experiment_id)
    names = [each.name for each in client.search_experiments(max_results=1000)]
    raise UnavailableError(
        f"{'The' if found is not None else 'There is no'} experiment '{search.experiment}' "
        f"{'was deleted ' if found is not None else ''}at {redact(server.tracking)}.",
        f"Restore it: mlflow experiments restore --experiment-id {found.experiment_id}"
        if found is not None
        else did_you_mean(
            search.experiment, names, f"Check the name, and that {server.setting} is the right one."
        ),
    )


def _runs(client: Any, experiment: str, search: Search, server: Server) -> Iterator[Any]:
    finished = "attributes.status = 'FINISHED'"
    token, count = None, 0
    while True:
        try:
            page = client.search_runs(
                [experiment],
                filter_string=f"{search.filter} and {finished}" if search.filter else finished,
                max_results=_PAGE,
                page_token=token,
            )
        except Exception as error:
            if getattr(error, "error_code", "") != "INVALID_PARAMETER_VALUE":
                raise
            raise ConfigurationError(
                f"MLflow does not understand the filter {shorten(redact(search.filter), 80)!r}: "
                f"{shorten(redact(_without_code(error)), 120).rstrip('.')}.",
                "Write it as MLflow does: metrics.val_auc > 0.8 and params.depth = '4'.",
            ) from None
        count += len(page)
        if count > MOST_RUNS or (count == MOST_RUNS and page.token):
            raise EvaluationError(
                f"More than {MOST_RUNS:,} finished runs of experiment '{search.experiment}' at "
                f"{redact(server.tracking)} would be chosen from.",
                "Narrow the search by a filter, for example &filter=attributes.start_time > 1760000000000.",
            )
        yield from page
        token = page.token
        if not token:
            return


def _without_code(error: Exception) -> str:
    return first_line(error).removeprefix("INVALID_PARAMETER_VALUE: ")


def _no_numbers(runs: list[Any], search: Search, where: str) -> UnavailableError:
    known = sorted({name for run in runs for name in run.data.metrics if not name.startswith("model_gate/")})
    with_nan = sum(search.metric in run.data.metrics for run in runs)
    if with_nan:
        return UnavailableError(
            f"metrics.{search.metric} is NaN or infinite in every finished run of {where} that has it "
            f"({plural(with_nan, 'run')}).",
            "Choose by another metric, or train again.",
        )
    return UnavailableError(
        f"No finished run of {where} has metrics.{search.metric}.",
        did_you_mean(
            search.metric, known, f"They have: {some(known)}." if known else "They have no metrics."
        ),
    )


def _has_model(run: Any) -> bool:
    outputs = getattr(run, "outputs", None)
    return bool(outputs and outputs.model_outputs) or bool(_history(run))


def _history(run: Any) -> list[str]:
    """Return the paths that MLflow 2 noted in a tag, where models were files of a run."""
    try:
        noted = json.loads(run.data.tags.get("mlflow.log-model.history", "[]"))
        return list(dict.fromkeys(str(each["artifact_path"]) for each in noted))
    except (ValueError, TypeError, KeyError):
        return []


def _model(client: Any, experiment: str, run: Any, search: Search) -> str:
    """Return the name of the model of a run: its only one, or the one that was asked for."""
    found = client.search_logged_models(
        [experiment], filter_string=f"source_run_id = '{run.info.run_id}'", max_results=100
    )
    names = sorted({each.name for each in found if str(each.status) == "READY"} | set(_history(run)))
    run_name = f"The best run, {run.info.run_id},"
    if search.model in names:
        return search.model
    if search.model:
        raise UnavailableError(
            f"{run_name} has no model '{search.model}'.",
            did_you_mean(search.model, names, f"It has: {some(names) or 'none that is ready'}."),
        )
    if len(names) == 1:
        return names[0]
    if not names:
        raise UnavailableError(
            f"{run_name} began to log a model, and it is not ready.", "Wait until it is, or log it again."
        )
    raise ConfigurationError(
        f"{run_name} has {len(names)} models: {some(names)}.", f"Say which one: &model={names[0]}."
    )
