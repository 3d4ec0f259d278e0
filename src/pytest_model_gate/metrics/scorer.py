"""scikit-learn's scorers as metrics: the ``sklearn:NAME`` of a gate, and scorers that are handed over."""

from __future__ import annotations

from typing import Any

from ..errors import ConfigurationError, did_you_mean
from ..spec import Task
from .function import called_as
from .metric import Metric
from .rows import Needs

PREFIX = "sklearn:"

#: Functions of scikit-learn whose value may be 0 or negative: a percentage of it means nothing.
_CROSSES_ZERO = (
    "r2_score",
    "explained_variance_score",
    "matthews_corrcoef",
    "cohen_kappa_score",
    "d2_",
    "adjusted_",
)


def named_scorer(source: str) -> Metric:
    """Return scikit-learn's scorer ``sklearn:NAME`` as a metric of that name.

    Raises
    ------
    ConfigurationError
        For a name that scikit-learn doesn't know.
    """
    from sklearn.metrics import get_scorer, get_scorer_names

    name = source.removeprefix(PREFIX)
    try:
        scorer = get_scorer(name)
    except (ValueError, TypeError):
        raise ConfigurationError(
            f"scikit-learn has no scorer {name!r}.", did_you_mean(name, get_scorer_names())
        ) from None
    return from_scorer(scorer, source)


def is_scorer(found: object) -> bool:
    """Whether this is what ``sklearn.metrics.make_scorer`` returns."""
    return all(hasattr(found, name) for name in ("_score_func", "_sign", "_kwargs", "_response_method"))


def from_scorer(scorer: Any, name: str = "") -> Metric:
    """Return a scorer's function as a metric; its value is never sign-flipped.

    Raises
    ------
    ConfigurationError
        For functions that neither classes nor numbers are judged by.
    """
    function, keywords = scorer._score_func, dict(scorer._kwargs)
    said = scorer._response_method
    methods = (said,) if isinstance(said, str) else tuple(said)
    task: Task = "regression" if function.__module__.endswith("._regression") else "classification"
    needs: Needs
    if methods == ("predict",):
        needs = "value" if task == "regression" else "label"
    elif methods == ("predict_proba",):
        needs = "probability"
    else:
        needs = "score"
    if methods == ("predict",) and not function.__module__.startswith("sklearn.metrics."):
        raise ConfigurationError(
            f"The scorer of {function.__name__} does not say whether it is for classes or for numbers.",
            "Write make_metric(f, needs='label' or 'value', higher_is_better=...) instead.",
        )
    if ".cluster" in function.__module__:
        raise ConfigurationError(
            f"{function.__name__} compares clusterings, which no gate judges.", "Name another metric."
        )
    if function.__name__ == "max_error":
        raise ConfigurationError(
            f"{name or 'max_error'} has no honest interval: rows that were not drawn may hold larger ones.",
            "Name max_error, which is shown and not judged.",
        )
    return called_as(
        function,
        name or function.__name__,
        needs=needs,
        task=task,
        higher_is_better=scorer._sign > 0,
        keywords=keywords,
        crosses_zero=function.__name__.startswith(_CROSSES_ZERO),
    )
