"""The digest that MLflow gives a pandas frame, made again from a dataset that comes in batches."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...hooks import DatasetProtocol

if TYPE_CHECKING:
    import pandas as pd


def mlflow_digest(dataset: DatasetProtocol) -> str:
    """Return what ``mlflow.data.from_pandas(frame).digest`` is for the frame of all rows.

    It covers the first 10,000 rows of columns of numbers, and of columns that have text in every row, the
    number of rows and the names of all columns.
    """
    import numpy as np
    import pandas as pd
    from mlflow.data.digest_utils import MAX_ROWS, get_normalized_md5_digest

    head = _head(dataset, MAX_ROWS)
    texts = [name for name, kind in dataset.columns if kind in ("string", "category[string]")]
    complete = dict.fromkeys(texts, True)
    for frame in dataset.batches(texts) if texts else ():
        for name in texts:
            complete[name] = complete[name] and not frame[name].isna().any()
    text = head.columns[[complete.get(name, False) for name in head.columns]]
    covered = head[text.union(head.select_dtypes(include=[np.number]).columns)]
    names = [name.encode() for name, _ in dataset.columns]
    return str(
        get_normalized_md5_digest(
            [pd.util.hash_pandas_object(covered).to_numpy(), np.int64(dataset.rows), *names]
        )
    )


def _head(dataset: DatasetProtocol, rows: int) -> pd.DataFrame:
    import pandas as pd

    parts: list[pd.DataFrame] = []
    seen = 0
    for frame in dataset.batches():
        parts.append(frame.head(rows - seen))
        seen += len(frame)
        if seen >= rows:
            break
    return pd.concat(parts) if len(parts) > 1 else parts[0]
