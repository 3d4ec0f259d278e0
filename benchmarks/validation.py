"""What validating one million rows costs beside pandera alone, in the same run.

    python benchmarks/validation.py                      # a JSON line per case
    python benchmarks/validation.py --rows 100000        # quick

Both sides look at one frame of 20 columns, with types and five rules, and find it sound or broken.
``schema``: all five are checks of pandera, and we validate with that schema. ``rules``: ours are a gate's own
rules, and pandera has the same as checks of its own or as functions. ``duplicates`` is the rule of that name
beside ``DataFrame.duplicated``. ``infer`` is ``model-gate schema infer`` without reading, beside
``pandera.infer_schema``, which looks at less. The sides alternate, and medians of processor time are
compared: set OMP_NUM_THREADS=1.
"""

from __future__ import annotations

import argparse
import gc
import json
import statistics
import sys
import time
import types
from collections.abc import Callable
from functools import partial

import numpy as np
import pandas as pd
import pandera.pandas as pa

from pytest_model_gate.data.schemas.infer import infer
from pytest_model_gate.data.schemas.infer_text import to_yaml
from pytest_model_gate.data.schemas.schema import validate
from pytest_model_gate.data_rules import read_rules
from pytest_model_gate.gate.registry import build_registry, open_dataset
from pytest_model_gate.gate.rules import check_rules
from pytest_model_gate.results import Verdict
from pytest_model_gate.spec import SourceContext

MODULE = "schemas_of_the_benchmark"
LEVELS = ["north", "south", "east", "west"]
CONTEXT = SourceContext()
OPENING = partial(open_dataset, build_registry(), context=CONTEXT)


def table(rows: int, *, broken: bool) -> pd.DataFrame:
    """Return 20 columns: a key, labels, text, dates and numbers; broken ones break every rule."""
    rng = np.random.default_rng(0)
    start = pd.Timestamp("2026-01-01") + pd.to_timedelta(rng.integers(0, 10**7, rows), unit="s")
    columns: dict[str, object] = {
        "id": np.arange(rows),
        "income": rng.normal(1000, 100, rows),
        "age": rng.integers(18, 90, rows),
        "region": rng.choice(LEVELS, rows),
        "start": start,
        "end": start + pd.to_timedelta(rng.integers(0, 10**6, rows), unit="s"),
        **{f"x{i}": rng.normal(size=rows) for i in range(14)},
    }
    frame = pd.DataFrame(columns)
    frame.loc[rng.random(rows) < 0.01, "income"] = np.nan
    if broken:
        some = rng.random(rows) < 0.01
        frame.loc[some, "id"] = 0
        frame.loc[some, "age"] = 200
        frame.loc[some, "region"] = "nord"
        frame.loc[some, "end"] = pd.Timestamp("2025-01-01")
        frame.loc[rng.random(rows) < 0.05, "income"] = np.nan
    return frame


def types_of(frame: pd.DataFrame) -> dict[str, pa.Column]:
    return {name: pa.Column(str(frame[name].dtype), nullable=name == "income") for name in frame.columns}


def all_of_pandera(frame: pd.DataFrame) -> pa.DataFrameSchema:
    """Return types, and five checks that pandera has a name for."""
    columns = types_of(frame)
    columns["id"] = pa.Column("int64", unique=True)
    columns["age"] = pa.Column("int64", pa.Check.in_range(18, 120))
    columns["region"] = pa.Column(str(frame["region"].dtype), pa.Check.isin(LEVELS))
    columns["income"] = pa.Column("float64", pa.Check.gt(0), nullable=True)
    columns["x0"] = pa.Column("float64", pa.Check.lt(100))
    return pa.DataFrameSchema(columns)


RULES = read_rules(
    [
        {"rule": "unique", "columns": "id"},
        {"rule": "nulls", "column": "income", "at_most": 0.02},
        {"rule": "range", "column": "age", "at_least": 18, "at_most": 120},
        {"rule": "levels", "column": "region", "allowed": LEVELS},
        {"rule": "compare", "left": "start", "operator": "<=", "right": "end"},
    ]
)


def same_in_pandera(frame: pd.DataFrame) -> pa.DataFrameSchema:
    """Return what ``RULES`` says; pandera needs functions for two of them."""
    columns = types_of(frame)
    columns["id"] = pa.Column("int64", unique=True)
    columns["age"] = pa.Column("int64", pa.Check.in_range(18, 120))
    columns["region"] = pa.Column(str(frame["region"].dtype), pa.Check.isin(LEVELS))
    columns["income"] = pa.Column(
        "float64", pa.Check(lambda s: s.isna().mean() <= 0.02, ignore_na=False), nullable=True
    )
    return pa.DataFrameSchema(columns, checks=pa.Check(lambda df: df["start"] <= df["end"]))


def bare(schema: pa.DataFrameSchema, frame: pd.DataFrame) -> bool:
    try:
        schema.validate(frame, lazy=True)
    except pa.errors.SchemaErrors:
        return False
    return True


def ours(name: str, frame: pd.DataFrame) -> bool:
    return validate(f"{MODULE}:{name}", frame, CONTEXT).verdict is Verdict.PASS


def with_rules(frame: pd.DataFrame) -> bool:
    schema = validate(f"{MODULE}:only_types", frame, CONTEXT)
    rules = check_rules(RULES, frame, OPENING)
    return schema.verdict is Verdict.PASS and rules.verdict is Verdict.PASS


def alternately(
    first: Callable[[], object], second: Callable[[], object], repeats: int
) -> tuple[float, float]:
    """Return the medians of processor time, after both have run once."""
    seconds: tuple[list[float], list[float]] = ([], [])
    for round_ in range(repeats + 1):
        for work, found in zip((first, second), seconds, strict=True):
            gc.collect()
            start = time.process_time()
            work()
            if round_:
                found.append(time.process_time() - start)
    return statistics.median(seconds[0]), statistics.median(seconds[1])


def cases(frame: pd.DataFrame) -> dict[str, tuple[Callable[[], bool], Callable[[], bool]]]:
    """Return the work of pandera and ours, by name."""
    module = sys.modules[MODULE]
    five = module.five_checks = all_of_pandera(frame)
    module.only_types = pa.DataFrameSchema(types_of(frame))
    same, once = same_in_pandera(frame), read_rules({"rule": "duplicates"})
    return {
        "schema": (lambda: bare(five, frame), lambda: ours("five_checks", frame)),
        "rules": (lambda: bare(same, frame), lambda: with_rules(frame)),
        "duplicates": (
            lambda: not frame.duplicated().any(),
            lambda: check_rules(once, frame, OPENING).verdict is Verdict.PASS,
        ),
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    sys.modules[MODULE] = types.ModuleType(MODULE)
    for broken in (False, True):
        frame = table(options.rows, broken=broken)
        for name, (peer, own) in cases(frame).items():
            expected = not broken or name == "duplicates"
            assert bool(peer()) is own() is expected, name
            told(name, broken, frame, *alternately(peer, own, options.repeats))
    frame = table(options.rows, broken=False)
    found = alternately(
        lambda: pa.infer_schema(frame),
        lambda: to_yaml(infer(frame, "region"), title="benchmark"),
        options.repeats,
    )
    told("infer", False, frame, *found)
    return 0


def told(case: str, broken: bool, frame: pd.DataFrame, peer: float, own: float) -> None:
    line = {
        "case": case,
        "data": "broken" if broken else "sound",
        "rows": len(frame),
        "columns": frame.shape[1],
        "their_seconds": round(peer, 4),
        "our_seconds": round(own, 4),
        "ratio": round(own / peer, 2),
    }
    print(json.dumps(line), flush=True)


if __name__ == "__main__":
    raise SystemExit(main())
