"""A whole gate as a process beside a script that somebody writes by hand for the same question.

    python benchmarks/whole_gate.py --rows 10000 --rows 1000000

Two gradient boostings of scikit-learn on 20 features, a pandera schema, five metrics, and an interval of the
difference. The script reads with pandas, measures with scikit-learn and compares by DeLong's test. Processes
take turns: the script, pytest with one gate, the same with kept predictions of production, and of both.
Readings are wall and processor time and the largest resident memory of each process, as JSON lines, then a
table of medians of pairs. Targets: processor time at most 1.1 times the script's at 10,000 rows, 1.0 at
1,000,000, with kept predictions 0.5; memory at most 0.6. Nothing fails here: time is no test.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

SCHEMA = """\
import pandera.pandas as pa

SCHEMA = pa.DataFrameSchema({
    **{f"f{n:02d}": pa.Column(float, pa.Check.in_range(-20, 20)) for n in range(20)},
    "y": pa.Column(int, pa.Check.isin([0, 1])),
})
"""

SCRIPT = """\
import joblib
import numpy as np
import pandas as pd
from scipy.stats import norm, rankdata
from sklearn.metrics import accuracy_score, average_precision_score, brier_score_loss, log_loss, roc_auc_score

from checks import SCHEMA


def components(y, score):
    positive, negative = score[y == 1], score[y == 0]
    m, n = len(positive), len(negative)
    every = rankdata(np.concatenate([positive, negative]))
    above = (every[:m] - rankdata(positive)) / n
    below = 1 - (every[m:] - rankdata(negative)) / m
    return above.mean(), above, below


rows = SCHEMA.validate(pd.read_parquet("rows.parquet"))
y = rows.pop("y").to_numpy()
said = {name: joblib.load(f"{name}.joblib").predict_proba(rows)[:, 1] for name in ("candidate", "production")}
for name, p in said.items():
    print(name, accuracy_score(y, p > 0.5), log_loss(y, p), brier_score_loss(y, p), roc_auc_score(y, p))
    print(name, average_precision_score(y, p))
(one, a, b), (other, c, d) = (components(y, p) for p in said.values())
error = np.sqrt(np.var(a - c, ddof=1) / len(a) + np.var(b - d, ddof=1) / len(b))
low = one - other - norm.ppf(0.95) * error
print(one - other, low)
assert low > -0.01
"""

GATES = """\
target = "y"
dataset = "rows.parquet"
schema = "checks:SCHEMA"
metrics = ["accuracy", "log_loss", "brier_score", "roc_auc", "average_precision"]
max_regression = 0.01
baseline = "prior"
trusted_sources = ["*.joblib"]

[gates.credit]
candidate = "candidate.joblib"
production = "production.joblib"
"""
TEST = 'import pytest\n\n@pytest.mark.model_gate("credit")\ndef test_credit():\n    pass\n'

PYTEST = ("-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "pytest_model_gate.plugin", "test_gate.py")
CASES = {
    "script": ("script.py",),
    "gate": PYTEST,
    "gate, production known": (*PYTEST, "--gate-cache"),
    "gate, both known": (*PYTEST, "--gate-cache"),
}


def main() -> None:
    """Measure, and print JSON lines and a table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rows", type=int, action="append", help="repeatable (default: 10,000, 1,000,000)")
    parser.add_argument("--runs", type=int, default=5, help="readings of each case (default: 5)")
    options = parser.parse_args()
    lines = []
    for rows in options.rows or [10_000, 1_000_000]:
        with tempfile.TemporaryDirectory() as place:
            project = Path(place)
            write(project, rows)
            readings: dict[str, list[dict[str, float]]] = {case: [] for case in CASES}
            for case in CASES:  # once for bytecode, the disk cache, and the predictions
                read(case, project)
            for number in range(options.runs):
                for case in list(CASES) if number % 2 else list(CASES)[::-1]:
                    found = read(case, project)
                    readings[case].append(found)
                    told = {"benchmark": "whole_gate", "rows": rows, "case": case, **found}
                    print(json.dumps(told), flush=True)
        for case, values in readings.items():
            lines.append(line(rows, case, values, readings["script"]))
    print("\n| rows | process | wall | processor | beside the script | peak memory | beside the script |")
    print("|---|---|---|---|---|---|---|")
    print("\n".join(lines))


def write(project: Path, rows: int) -> None:
    """Write rows, models, the script and the gate, and pin the rows."""
    import joblib
    import numpy as np
    import pandas as pd
    from sklearn.ensemble import HistGradientBoostingClassifier

    rng = np.random.default_rng(7)
    names = [f"f{number:02d}" for number in range(20)]
    frame = pd.DataFrame(rng.normal(size=(rows, 20)), columns=names)
    frame["y"] = (frame[names[:8]].sum(axis=1) + rng.normal(size=rows) > 0).astype("int64")
    frame.to_parquet(project / "rows.parquet")
    train = pd.DataFrame(rng.normal(size=(20_000, 20)), columns=names)
    label = (train[names[:8]].sum(axis=1) + rng.normal(size=20_000) > 0).astype("int64")
    for name, seed in (("candidate", 1), ("production", 2)):
        sample = train.sample(frac=0.8, random_state=seed).index
        model = HistGradientBoostingClassifier(random_state=seed).fit(train.loc[sample], label[sample])
        joblib.dump(model, project / f"{name}.joblib")
    for file, text in {
        "checks.py": SCHEMA,
        "script.py": SCRIPT,
        "model_gate.toml": GATES,
        "test_gate.py": TEST,
    }.items():
        (project / file).write_text(text)
    run(project, (*PYTEST, "--gate-pin"))


def read(case: str, project: Path) -> dict[str, float]:
    """Run one process, and return what it took."""
    if case == "gate, production known":
        forget_candidate(project)
    return run(project, CASES[case])


def forget_candidate(project: Path) -> None:
    """Leave nothing but production's predictions in the cache."""
    for file in (project / "cache").glob("predictions/*"):
        file.unlink()
    run(project, (*PYTEST, "--gate-cache", "--gate-candidate", "production.joblib"))


def run(project: Path, arguments: tuple[str, ...]) -> dict[str, float]:
    """Run Python, and return wall and processor time in seconds, and the largest resident memory in MiB."""
    environment = os.environ | {
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        "MODEL_GATE_CACHE": str(project / "cache"),
        "OMP_NUM_THREADS": "1",
        # As of an installed package: else every run would compile a working copy again.
        "PYTHONPYCACHEPREFIX": str(project / "bytecode"),
    }
    for name in ("PYTEST_ADDOPTS", "PYTHONDONTWRITEBYTECODE"):
        environment.pop(name, None)
    started = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, *arguments],
        cwd=project,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
    )
    assert process.stdout is not None
    said = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    taken = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(arguments)} failed\n{said}")
    return {
        "wall": round(taken, 3),
        "processor": round(usage.ru_utime + usage.ru_stime, 3),
        "memory": round(usage.ru_maxrss / 1024, 1),
    }


def line(rows: int, case: str, mine: list[dict[str, float]], script: list[dict[str, float]]) -> str:
    """Return a line of the table."""

    def median(kind: str) -> float:
        return statistics.median(reading[kind] for reading in mine)

    def ratio(kind: str) -> float:
        return statistics.median(a[kind] / b[kind] for a, b in zip(mine, script, strict=True))

    cells = (
        f"{rows:,}",
        case,
        f"{median('wall'):.1f} s",
        f"{median('processor'):.1f} s",
        f"{ratio('processor'):.2f}",
        f"{median('memory'):.0f} MiB",
        f"{ratio('memory'):.2f}",
    )
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    main()
