"""Look at the trees of a loaded scikit-learn model before its C code follows them.

``Tree`` and ``TreePredictor`` hold node numbers and feature numbers that are used as array indices without a
check. In a crafted file they point anywhere: predicting would then read foreign memory or never end.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import InvalidError


def check_trees(found: object, source: str) -> None:
    """Refuse a model with a tree that points outside of itself or of its features.

    Parameters
    ----------
    found : object
        What was loaded.
    source : str
        Where from; the error names it.
    """
    for tree, width, holder in _trees(found):
        problem = (
            _predictor_problem(tree, width, holder) if hasattr(tree, "nodes") else _tree_problem(tree, width)
        )
        if problem:
            raise InvalidError(
                f"'{source}' holds a decision tree that {problem}: the file was edited or made to do harm.",
                "Don't use it. Train the model again, and find out where the file came from.",
            )


def _trees(found: object) -> Iterator[tuple[Any, int, Any]]:
    """Yield every tree with the number of features that it will be given, and what holds it."""
    seen: set[int] = set()
    # A stack and not recursion: a crafted file may nest as deep as it likes.
    todo: list[tuple[Any, int, Any]] = [(found, 0, None)]
    while todo:
        thing, width, holder = todo.pop()
        if id(thing) in seen:
            continue
        seen.add(id(thing))
        name = type(thing).__name__
        if name in ("Tree", "TreePredictor") and type(thing).__module__.startswith("sklearn."):
            yield thing, width, holder
        elif isinstance(thing, dict):
            todo += [(item, width, holder) for item in thing.values()]
        elif isinstance(thing, (list, tuple, set)):
            todo += [(item, width, holder) for item in thing]
        elif isinstance(thing, np.ndarray):
            if thing.dtype == object:
                todo += [(item, width, holder) for item in thing.ravel()]
        elif hasattr(thing, "__dict__") and not isinstance(thing, type):
            own = vars(thing).get("n_features_in_")
            # A forest gives its rows to the trees unchecked, so its own number counts, not theirs. Any
            # other holder (a pipeline, a bagging of columns) hands on something else or checks again.
            unchecked = type(thing).__module__ in ("sklearn.ensemble._forest", "sklearn.ensemble._gb")
            inside = holder is not None and type(holder).__module__ in (
                "sklearn.ensemble._forest",
                "sklearn.ensemble._gb",
            )
            if isinstance(own, int) and not (inside and not unchecked):
                width = own
                holder = thing
            todo += [(item, width, holder) for item in vars(thing).values()]


def _tree_problem(tree: Any, width: int) -> str:
    count = int(tree.node_count)
    if not 1 <= count <= int(tree.capacity):
        return f"claims {count} nodes and has room for {int(tree.capacity)}"
    left, right, feature = tree.children_left, tree.children_right, tree.feature
    inner = np.flatnonzero(left != -1)
    if int(tree.n_features) != width:
        return f"was made for {int(tree.n_features)} features in a model of {width}"
    return _links_problem(inner, left[inner], right[inner], feature[inner], count, width)


def _predictor_problem(predictor: Any, width: int, holder: Any) -> str:
    nodes = predictor.nodes
    if len(nodes) == 0:
        return "has no nodes"
    inner = np.flatnonzero(nodes["is_leaf"] == 0)
    rows = nodes[inner]
    categorical = rows[rows["is_categorical"] != 0]
    if len(categorical):
        # scikit-learn numbers the features anew (categories first); the bin mapper has those numbers.
        known = getattr(getattr(holder, "_bin_mapper", None), "is_categorical_", None)
        bits = np.asarray(predictor.raw_left_cat_bitsets)
        if int(categorical["bitset_idx"].max()) >= len(bits):
            return "points at a set of categories that it does not have"
        features = categorical["feature_idx"]
        if known is None or int(features.max()) >= len(known) or not np.asarray(known)[features].all():
            return "takes a number for a category"
    return _links_problem(inner, rows["left"], rows["right"], rows["feature_idx"], len(nodes), width)


def _links_problem(
    inner: npt.NDArray[Any],
    left: npt.NDArray[Any],
    right: npt.NDArray[Any],
    feature: npt.NDArray[Any],
    count: int,
    width: int,
) -> str:
    # Children always come after their parent: that also rules out a circle, which would never end.
    for child in (left.astype(np.int64), right.astype(np.int64)):
        if ((child <= inner) | (child >= count)).any():
            return "points at a node that it does not have"
    if ((feature < 0) | (feature >= width)).any():
        return "asks for a feature that it does not get"
    return ""
