"""``model-gate plan``: what a person types and reads."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from pathlib import Path

import pytest

from pytest_model_gate.cli import main

PLUGINS = ("-p", "no:hypothesispytest", "-p", "no:typeguard", "-p", "no:cacheprovider")

GATES = """
[gates.credit]
candidate = "predictions:rows.csv#new"
production = "predictions:rows.csv#old"
baseline = "prior"
dataset = "rows.csv"
target = "y"
key = "id"
metrics = ["accuracy", "roc_auc"]
max_regression = { accuracy = 0.02, roc_auc = 0.01 }
"""

TESTS = """
import pytest

@pytest.mark.model_gate("credit")
def test_credit():
    pass
"""


@pytest.fixture
def said(capsys):
    """Run a command in this process; return its status, what it prints and what it complains about."""

    def said(*arguments: str) -> tuple[int, str, str]:
        status = main(["plan", *arguments])
        out, err = capsys.readouterr()
        return status, out, err

    return said


# -- from assumptions ----------------------------------------------------------------------------------


def test_rows_for_an_accuracy(said) -> None:
    assert said("--metric", "accuracy", "--margin", "0.01", "--discordance", "0.05") == (
        0,
        "accuracy, tolerance 0.01, alpha 0.05\n"
        "  assumed      discordance 0.05\n"
        "  power by     exact (Tango)\n"
        "  rows needed  3,150 for 80% power\n"
        "  rows needed  4,340 for 90% power\n"
        "               268 at least, even where both models are right on the same rows\n",
        "",
    )


def test_agreement_is_the_rest_of_the_discordance(said) -> None:
    one = said("--metric", "accuracy", "--margin", "0.01", "--discordance", "0.05")

    assert said("--metric", "accuracy", "--margin", "0.01", "--agreement", "0.95") == one


def test_what_given_rows_tell(said) -> None:
    given = "--metric accuracy --discordance 0.05 --rows 2000 --margin 0.01 --gain 0.002 --power 0.95"
    status, out, _ = said(*given.split())

    assert status == 0
    assert out.splitlines()[3:] == [
        "  rows needed  2,180 for 80% power of a candidate 0.002 better",
        "  rows needed  3,020 for 90% power of a candidate 0.002 better",
        "  rows needed  3,800 for 95% power of a candidate 0.002 better",
        "               268 at least, even where both models are right on the same rows",
        "  2,000 rows",
        "    detect 0.0126 with 80% power",
        "    detect 0.0149 with 90% power",
        "    detect 0.0167 with 95% power",
        "    let an equal candidate pass 63% of the time",
        "    let a candidate 0.002 better pass 77% of the time",
    ]


def test_a_candidate_for_which_no_rows_are_enough(said) -> None:
    _, out, _ = said("--metric", "mae", "--margin", "0.01", "--sd", "0.3", "--gain", "-0.02")

    assert "  rows needed  no number of rows is enough for a candidate 0.02 worse" in out.splitlines()


@pytest.mark.parametrize(
    ("arguments", "rows"),
    [
        ("--metric roc_auc --margin 0.005 --auc 0.85 --prevalence 0.1 --correlation 0.9", "24,100"),
        (
            "--metric f1 --margin 0.01 --precision 0.8 --recall 0.7 --prevalence 0.1 --discordance 0.02",
            "42,300",
        ),
        ("--metric log_loss --margin 0.002 --sd 0.3 --deff 2.5", "348,000"),
        ("--metric recall --margin 0.01 --discordance 0.05 --prevalence 0.1", "31,500"),
    ],
)
def test_other_metrics(said, arguments: str, rows: str) -> None:
    assert f"  rows needed  {rows} for 80% power" in said(*arguments.split())[1].splitlines()


def test_assumptions_as_json(said) -> None:
    status, out, _ = said(
        "--metric", "accuracy", "--margin", "0.01", "--discordance", "0.05", "--rows", "2000", "--json"
    )
    (found,) = json.loads(out)

    assert status == 0
    assert found["rows_needed"] == [{"power": 0.8, "rows": 3142}, {"power": 0.9, "rows": 4335}]
    assert found["power_if_equal"] == pytest.approx(0.6309, abs=1e-4)
    assert (found["metric"], found["alpha"], found["method"]) == ("accuracy", 0.05, "exact (Tango)")


# -- conditions ----------------------------------------------------------------------------------------


def test_a_condition_of_the_paper(said) -> None:
    assert said(
        "--condition",
        "n - o > 0.02 +/- 0.01",
        "--reliability",
        "0.9999",
        "--adaptivity",
        "full",
        "--steps",
        "32",
    ) == (
        0,
        "n - o > 0.02 +/- 0.01\n"
        "  reliability  0.9999 over 32 steps; developers see every answer\n"
        "  mode         fp-free: what is accepted holds; unknown is rejected\n"
        "  one answer   is wrong with a probability of at most 2.3e-14\n"
        "  n - o > 0.02 +/- 0.01\n"
        "    628,000 labelled rows, by Chernoff's bound for the worst rows that are possible\n"
        "    628,000 by Hoeffding's bound for the whole left side, 642,000 for each variable by itself\n"
        "    (tolerance split 0.005 + 0.005)\n"
        "  rows in all  628,000 labelled\n"
        "               642,000 by the basic estimator of the paper\n"
        "               8,110,000 with a new set for each step\n",
        "",
    )


def test_a_condition_with_an_expected_share_of_changes(said) -> None:
    _, out, _ = said("--condition", "n - o > 0.02 +/- 0.01", "--discordance", "0.1", "--mode", "fn-free",
                     "--adaptivity", "none")  # fmt: skip

    assert out.splitlines()[-6:] == [
        "    2,450 rows, labels are not needed, by the exact binomial tail",
        "    8,640 by Hoeffding's bound for the whole left side",
        "  d has to be measured below 0.1; else the answer is unknown",
        "  rows in all  16,500 labelled, 2,450 without labels (the labelled ones may be among them)",
        "               only rows whose predictions differ need a label: about 1,980 for each step",
        "               153,000 by the basic estimator of the paper",
    ]


def test_a_condition_as_json(said) -> None:
    _, out, _ = said("--condition", "n > 0.8 +/- 0.05", "--reliability", "0.9999", "--steps", "32", "--json")
    found = json.loads(out)

    # Every answer is taken for seen where nobody says otherwise.
    assert (found["condition"], found["adaptivity"], found["paper"]) == ("n > 0.8 +/- 0.05", "full", 6279)
    assert found["labelled"] == found["clauses"][0]["rows"] < 6279


# -- wrong use -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["--metric", "accuracy", "--condition", "n > 0.8 +/- 0.1"],
            "--metric and --condition are two sources of one plan.\n  Give one of them.",
        ),
        (["--auc", "0.8"], "--auc goes with --metric.\n  See model-gate plan --help."),
        (
            ["--metric", "mae", "--save"],
            "--save goes with the gates of a project or --report.\n  See model-gate plan --help.",
        ),
        (
            ["--condition", "n > 0.8 +/- 0.1", "--power", "0.9"],
            "--power goes with the gates of a project or --report or --metric.\n"
            "  See model-gate plan --help.",
        ),
        (["--steps", "3"], "--steps goes with --condition.\n  See model-gate plan --help."),
        (
            ["--metric", "mae", "-k", "credit"],
            "plan --metric takes no argument '-k'.\n  See model-gate plan --help.",
        ),
        (
            ["--metric", "accuracy", "--agreement", "0.9", "--discordance", "0.1"],
            "--discordance and --agreement say the same.\n  Give one of the two.",
        ),
        (
            ["--condition", "n > 0.8 +/- 0.1", "--mode", "fpfree"],
            "--mode 'fpfree' is not known.\n  Did you mean 'fp-free'?",
        ),
        (
            ["--condition", "n > 0.8 +/- 0.1", "--adaptivity", "some"],
            "--adaptivity 'some' is not known.\n  Known: firstChange, full, none.",
        ),
        (
            ["--report", "nowhere.json"],
            "nowhere.json: cannot be read as a report of model gates: No such file or directory.\n"
            "  Reports are written by pytest --gate-report FILE.json.",
        ),
    ],
)
def test_wrong_use_is_one_sentence(said, monkeypatch, tmp_path, arguments, message: str) -> None:
    monkeypatch.chdir(tmp_path)

    assert said(*arguments) == (2, "", f"model-gate: error: {message}\n")


def test_a_number_that_is_none(capsys) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["plan", "--metric", "accuracy", "--margin", "small"])

    assert stopped.value.code == 2
    assert capsys.readouterr().err.splitlines()[-1] == (
        "model-gate plan: error: argument --margin: invalid float value: 'small'"
    )


# -- a project and its report --------------------------------------------------------------------------


@pytest.fixture(scope="module")
def project(tmp_path_factory) -> Path:
    """A pinned project with a report."""
    place = tmp_path_factory.mktemp("plan")
    rng = random.Random(3)
    rows = ["id,y,new,old"]
    for number in range(1_000):
        signal = rng.gauss(0, 1)
        y = int(signal + rng.gauss(0, 1) > 0)
        new, old = (1 / (1 + 2.718 ** -(signal + rng.gauss(0, 0.4))) for _ in range(2))
        rows.append(f"{number},{y},{new:.6f},{old:.6f}")
    (place / "rows.csv").write_text("\n".join(rows) + "\n")
    (place / "model_gate.toml").write_text(GATES)
    (place / "test_gates.py").write_text(TESTS)
    assert shell(place, "-m", "pytest_model_gate", "pin", *PLUGINS)[0] == 0
    assert shell(place, "-m", "pytest", "-q", "--gate-report", "gates.json", *PLUGINS)[0] in (0, 1)
    return place


def shell(place: Path, *arguments: str) -> tuple[int, str, str]:
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=place,
        capture_output=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


def test_the_gates_of_a_project(project) -> None:
    status, out, err = shell(project, "-m", "pytest_model_gate", "plan", "--gain", "0.002", *PLUGINS)

    assert (status, err) == (0, "")
    head, titles, accuracy, auc, *notes = out.splitlines()
    assert head == "credit   rows.csv, alpha 0.05"
    assert " ".join(titles.split()) == (
        "metric slice rows std. error detects 80% detects 90% tolerance rows for 80% passes if equal "
        "if 0.002 better"
    )
    assert accuracy.split()[:3] == ["accuracy", "all", "1,000"]
    assert auc.split()[:3] == ["roc_auc", "all", "1,000"]
    assert notes[:2] == [
        "  detects: an equal candidate stays within this in so many of 100 samples of so many rows",
        "  rows: for a candidate that is 0.002 better in truth",
    ]
    assert notes[2].startswith("  all 2 lines have to pass: a candidate 0.002 better ships at least ")


def test_a_report_says_nearly_the_same_without_scoring(project) -> None:
    own = json.loads(shell(project, "-m", "pytest_model_gate", "plan", "--json", *PLUGINS)[1])
    status, out, _ = shell(project, "-m", "pytest_model_gate", "plan", "--report", "gates.json", "--json")
    written = json.loads(out)

    assert status == 0
    for first, second in zip(own, written, strict=True):
        assert (first["gate"], first["metric"], first["dataset"]) == ("credit", second["metric"], "rows.csv")
        assert first["standard_error"] == second["standard_error"]
        assert first["power_if_equal"] == pytest.approx(second["power_if_equal"], abs=0.03)
    assert [plan["method"] for plan in own] == ["exact", "normal"]


def test_saving_makes_the_next_collection_warn(project, tmp_path) -> None:
    place = tmp_path / "saved"
    place.mkdir()
    for file in project.iterdir():
        if file.is_file():
            (place / file.name).write_bytes(file.read_bytes())

    status, _, err = shell(place, "-m", "pytest_model_gate", "plan", "--report", "gates.json", "--save")
    assert (status, err) == (0, "model-gate-plan.toml was written: commit it.\n")
    written = (place / "model-gate-plan.toml").read_bytes()
    assert shell(place, "-m", "pytest_model_gate", "plan", "--save", *PLUGINS)[0] == 0
    assert (place / "model-gate-plan.toml").read_bytes() == written

    _, out, _ = shell(place, "-m", "pytest", "--collect-only", "-q", "-W", "error", *PLUGINS)
    assert out.startswith(
        "gate credit can hardly pass unless the candidate is better: roc_auc within 0.01 takes about "
    )


def test_a_gate_that_cannot_be_planned(project, tmp_path) -> None:
    for name in ("rows.csv", "model_gate.toml", "test_gates.py"):
        (tmp_path / name).write_bytes((project / name).read_bytes())

    status, out, err = shell(tmp_path, "-m", "pytest_model_gate", "plan", *PLUGINS)
    assert (status, out) == (1, "")
    assert err == (
        "model-gate: gate credit cannot be planned: pin: rows.csv is not pinned in model-gate.lock.\n"
        "  Run `model-gate pin` (or `pytest --gate-pin`) and commit model-gate.lock.\n"
    )


def test_a_folder_without_gates(tmp_path) -> None:
    (tmp_path / "test_plain.py").write_text("def test_plain(): pass\n")

    assert shell(tmp_path, "-m", "pytest_model_gate", "plan", *PLUGINS) == (
        2,
        "",
        "model-gate: error: pytest collected no gate here: there is nothing to plan.\n"
        "  Mark a test with @pytest.mark.model_gate, or give the folder that holds the gates.\n",
    )
