"""What models cost where they serve: limits, robust ratios of paired times, and what cannot be measured."""

import math
import shlex
import sys
from itertools import chain, repeat

import joblib
import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from pytest_model_gate.config.files import read_project
from pytest_model_gate.config.resolve import resolve
from pytest_model_gate.config.tables import GateTable, read_table
from pytest_model_gate.errors import ConfigurationError
from pytest_model_gate.gate.fingerprint import config_digest
from pytest_model_gate.gate.operations import FEWEST, operations
from pytest_model_gate.results import Verdict
from pytest_model_gate.spec import OperationLimit, Operations
from pytest_model_gate.stats.medians import median_interval

MODELS = """
import time
import numpy as np

def predict(frame):
    return 1 / (1 + np.exp(-2 * (frame["x"] + frame["z"]).to_numpy()))

def quick():
    return predict

def slow():
    def slower(frame):
        end = time.perf_counter() + 0.003
        while time.perf_counter() < end:
            pass
        return predict(frame)
    return slower

def hungry():
    def hungrier(frame):
        np.ones(4_000_000)
        return predict(frame)
    return hungrier
"""

LATENCY = Operations(latency_per_row=OperationLimit(max_regression=0.2), batch=200)


@pytest.fixture
def models(project):
    project.module("costly_models", MODELS)
    yield lambda name: f"python:costly_models:{name}"
    sys.modules.pop("costly_models", None)


def check_of(record):
    return next(check for check in record.checks if check.name == "operations")


def test_a_slow_candidate_is_told_and_fails_nothing(project, models):
    record = project.record(candidate=models("slow"), production=models("quick"), operations=LATENCY)

    (found,) = record.operations
    assert (found.name, found.unit, found.rows, found.verdict) == (
        "latency_per_row",
        "seconds",
        200,
        Verdict.REGRESSED,
    )
    assert found.rounds >= FEWEST
    assert 1.2 < found.low <= found.ratio <= found.high
    (finding,) = check_of(record).findings
    assert finding.severity == "warn"
    assert finding.problem == (
        f"time per row: {found.ratio:.2f} times production's time per row, and 1.2 times is allowed"
    )
    assert record.verdict is Verdict.PASS
    assert record.lines


def test_it_fails_where_the_gate_says_so(project, models):
    asked = Operations(latency_per_row=OperationLimit(max=1e-7), batch=200, severity="fail")
    record = project.record(candidate=models("slow"), production="none", operations=asked)

    assert (record.verdict, check_of(record).verdict) == (Verdict.REGRESSED, Verdict.REGRESSED)
    assert record.operations[0].reason.endswith(" us, and at most 100 ns is allowed")
    assert record.operations[0].ratio is None


def test_memory_is_what_a_batch_takes(project, models):
    asked = Operations(memory=OperationLimit(max=1e6, max_regression=0.5))
    record = project.record(candidate=models("hungry"), production=models("quick"), operations=asked)

    (found,) = record.operations
    assert (found.verdict, found.unit) == (Verdict.REGRESSED, "bytes")
    assert 32e6 <= found.candidate < 34e6
    assert found.production < 1e6


def test_the_memory_of_a_command_is_not_ours(project, models):
    script = project.root / "served.py"
    script.write_text(
        "import sys, csv\n"
        "print('p')\n"
        "for row in csv.DictReader(sys.stdin):\n"
        "    print(0.9 if float(row['x']) + float(row['z']) > 0 else 0.1)\n"
    )
    command = f"exec+csv:{shlex.quote(sys.executable)} served.py"
    asked = Operations(memory=OperationLimit(max=1e6), severity="fail")
    for roles, who in (
        ({"candidate": command, "production": models("quick")}, "candidate"),
        ({"candidate": models("quick"), "production": command}, "production"),
    ):
        record = project.record(**roles, trusted_sources=("exec+csv:*",), operations=asked)
        (found,) = record.operations
        assert (found.verdict, found.candidate, found.production) == (Verdict.ERROR, None, None)
        assert found.reason == f"nothing was measured: the {who} runs in a process of its own"
        assert check_of(record).summary == "memory not measured"
        assert record.verdict is Verdict.ERROR


def test_sizes_of_files(project):
    frame = project.frame
    for name, columns in (("small", ["x"]), ("large", ["x", "z"])):
        fitted = LogisticRegression().fit(frame[columns], frame["y"])
        fitted.ballast_ = np.zeros(1000 if name == "large" else 10)
        joblib.dump(fitted, project.root / f"{name}.joblib")
    asked = Operations(artifact_size=OperationLimit(max_regression=0.1))
    record = project.record(
        candidate="large.joblib", production="small.joblib", trusted_sources=("*.joblib",), operations=asked
    )

    (found,) = record.operations
    sizes = [float((project.root / f"{name}.joblib").stat().st_size) for name in ("large", "small")]
    assert [found.candidate, found.production] == sizes
    assert found.ratio == found.low == found.high == sizes[0] / sizes[1]
    assert found.verdict is Verdict.REGRESSED
    back = project.record(
        candidate="small.joblib", production="large.joblib", trusted_sources=("*.joblib",), operations=asked
    )
    assert (back.operations[0].verdict, check_of(back).findings) == (Verdict.PASS, ())


def test_predictions_from_a_file_have_no_latency(project):
    record = project.record(operations=LATENCY)

    (finding,) = check_of(record).findings
    assert finding.problem == (
        "time per row: nothing was measured: the candidate is read from a file of predictions"
    )
    assert (finding.severity, finding.rule) == ("warn", "error")
    assert check_of(record).summary == "time per row not measured"
    failing = Operations(latency_per_row=LATENCY.latency_per_row, severity="fail")
    assert project.record(operations=failing).verdict is Verdict.ERROR


def test_a_limit_against_production_needs_one(project, models):
    record = project.record(candidate=models("quick"), production="none", operations=LATENCY)

    assert record.operations[0].verdict is Verdict.ERROR
    assert record.operations[0].reason == "there is no production model to compare with"


class Ticks:
    """A clock that stands still until somebody moves it."""

    now = 0.0

    def __call__(self):
        return self.now


def timed(project, models, candidate, production, limit):
    """Measure with made-up times of calls."""
    evaluation = project.evaluation(candidate=models("quick"), production=models("slow"), operations=LATENCY)
    inputs = evaluation.inputs
    clock = Ticks()

    class Model:
        kind, columns, classes, resolved = "own", ("x", "z"), None, "own"

        def __init__(self, times):
            self.times = times

        def predict(self, frame, want):
            if want == "probability":
                clock.now += next(self.times)
                return np.full(len(frame), 0.5)
            return None

    roles = {"candidate": Model(iter(candidate)), "production": Model(iter(production))}
    asked = Operations(latency_per_row=limit, batch=10)
    features = {role: ["x", "z"] for role in roles}
    _, found = operations(
        evaluation.spec, asked, roles, features, inputs.dataset, ("probability",), inputs.context, clock=clock
    )
    return found[0]


def test_a_noisy_machine_is_inconclusive_and_not_wrong(project, models):
    rng = np.random.default_rng(2)
    limit = OperationLimit(max_regression=0.2)
    steady = chain([0.1, 0.1], repeat(0.01))
    found = timed(project, models, chain([0.5, 0.5], repeat(0.011)), steady, limit)
    assert (found.verdict, round(found.ratio, 9), round(found.low, 9), round(found.high, 9)) == (
        Verdict.PASS,
        1.1,
        1.1,
        1.1,
    )
    # A few rounds that something else disturbs change nothing.
    disturbed = (0.011 if k % 7 else 2.0 for k in range(1000))
    assert timed(project, models, disturbed, repeat(0.01), limit).verdict is Verdict.PASS
    noise = (0.012 * math.exp(rng.normal()) for _ in range(1000))
    wild = timed(project, models, noise, repeat(0.01), limit)
    assert wild.verdict is Verdict.INCONCLUSIVE
    assert wild.reason.startswith(f"{wild.ratio:.2f} times production's time per row, and 1.2 times is")
    assert timed(project, models, repeat(0.013), repeat(0.01), limit).verdict is Verdict.REGRESSED


def test_bounds_of_a_median_keep_their_level():
    rng = np.random.default_rng(8)
    for n in (12, 31, 60):
        draws = rng.standard_cauchy((4000, n))  # heavier tails than any clock has; the median is 0
        found = np.array([median_interval(list(row), 0.05)[1:] for row in draws])
        above, below = (found[:, 0] > 0).mean(), (found[:, 1] < 0).mean()
        assert max(above, below) < 0.05 + 3 * math.sqrt(0.05 * 0.95 / 4000)
        assert min(above, below) > 0.01  # it is no interval of everything
    assert median_interval([1.0] * 4, 0.05)[1:] == (-math.inf, math.inf)


def keys(root, line):
    (root / "model_gate.toml").write_text(
        '[gates.c]\ncandidate = "a"\nproduction = "b"\ndataset = "d.csv"\ntarget = "y"\n'
        f'metrics = ["roc_auc"]\n{line}\n'
    )
    return resolve(read_project(root), name="c", mark={}, default_name="test")


def test_what_may_be_written(tmp_path):
    found = keys(
        tmp_path,
        'operations = { latency_per_row = { max = "2 ms", max_regression = "20%" }, '
        'memory = "1.5 GiB", batch = 50 }',
    )

    assert found.operations == Operations(
        latency_per_row=OperationLimit(max=0.002, max_regression=0.2),
        memory=OperationLimit(max=1.5 * 2**30),
        batch=50,
    )
    assert keys(tmp_path, "operations = false").operations is None
    assert config_digest(found) == config_digest(keys(tmp_path, ""))


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({}, "gate: operations: must name latency_per_row, memory or artifact_size."),
        ({"memory": {}}, "gate: operations: memory needs max or max_regression."),
        (
            {"latency_per_row": "80 MB"},
            "gate: operations.latency_per_row.max: must be a time such as '2 ms' (ns, us, ms, s), "
            "got '80 MB'.",
        ),
        (
            {"memory": {"max_regression": 0.2}},
            "gate: operations.memory.max_regression: must be a percentage such as '20%', got 0.2.",
        ),
        ({"latency": "2 ms"}, "gate: unknown key 'operations.latency'."),
    ],
)
def test_what_may_not(table, message):
    with pytest.raises(ConfigurationError) as caught:
        read_table(GateTable, {"operations": table}, "gate")

    assert caught.value.what == message
