"""What counts as a use of a holdout, what is left, and what branches that were merged have spent."""

from __future__ import annotations

import itertools
import subprocess
from dataclasses import replace

import numpy as np
import pytest

from pytest_model_gate.data.ledger import LEDGER_NAME, Content, Reset, Use, parse, render
from pytest_model_gate.errors import ConfigurationError
from pytest_model_gate.gate.fingerprint import config_digest, prediction_digest
from pytest_model_gate.gate.rows import Judged
from pytest_model_gate.gate.uses import broken_promise, holdout, next_level
from pytest_model_gate.results import Verdict
from pytest_model_gate.spec import FindSlices, SliceSpec, Tolerance, Waiver
from pytest_model_gate.stats.spending import alpha_in_force

BAD = "predictions:scores.parquet#bad"
PROD = "predictions:scores.parquet#prod"


def use(candidate, number, **changes) -> Use:
    values = {
        "dataset": "sha256:d",
        "source": "d.parquet",
        "rows": 100,
        "gate": "credit",
        "model": "m",
        "config": "sha256:c",
        "candidate": candidate,
        "limits": {"regression roc_auc": "all: 0.005"},
        "number": number,
        "passes": 0,
        "budget": 20,
        "spending": "equal",
        "level": 0.05,
        "feedback": "full",
        "period": 0,
        "verdict": "",
        "date": f"2030-01-{number:02}T00:00:00Z",
        "commit": "",
    }
    values |= changes
    rule = {key: values[key] for key in ("number", "passes", "budget", "spending")}
    return Use(**{"alpha": alpha_in_force(values["level"], **rule), **values})


def reset(period, **changes) -> Reset:
    values = {"dataset": "sha256:d", "source": "d.parquet", "reason": "new labels", "commit": ""}
    return Reset(**{**values, "period": period, "date": "2030-01-15T00:00:00Z", **changes})


def left(known, budget=20, spending="equal", level=0.05):
    return next_level(known, level=level, budget=budget, spending=spending)


# -- counting ------------------------------------------------------------------------------------------


def test_lines_about_one_candidate_count_once_in_any_order():
    lines = [use("a", 1), use("a", 1, verdict="regressed"), use("b", 2), use("b", 2, verdict="pass")]
    for order in itertools.permutations(lines):
        known = holdout(order, "sha256:d")
        assert [counted.first.candidate for counted in known.uses] == ["a", "b"]
        assert [counted.passed for counted in known.uses] == [False, True]
        assert left(known) == (3, 1, 0.0025)


def test_another_question_about_the_same_candidate_is_the_same_use():
    floor = {"floor roc_auc": "all: 0.8"}
    known = holdout([use("a", 1), use("a", 1, limits=floor, verdict="pass")], "sha256:d")
    assert len(known.uses) == 1
    assert known.find("a", "sha256:c", {"baseline roc_auc": "all: 0"}) is known.uses[0]


def test_the_same_question_with_another_limit_is_another_use():
    tuned = {"regression roc_auc": "all: 0.05"}
    known = holdout([use("a", 1)], "sha256:d")
    assert known.find("a", "sha256:c", tuned) is None
    assert len(holdout([use("a", 1), use("a", 2, limits=tuned)], "sha256:d").uses) == 2


def test_another_configuration_is_another_use():
    assert holdout([use("a", 1)], "sha256:d").find("a", "sha256:other", {}) is None


def test_another_dataset_has_a_count_of_its_own():
    assert holdout([use("a", 1)], "sha256:e").uses == ()


def test_the_end_of_the_budget():
    known = holdout([use(f"c{n}", n) for n in range(1, 21)], "sha256:d")
    assert left(known) == "20 of 20 uses of this holdout are spent"
    assert left(known, budget=40) == (
        "20 uses of this holdout have spent 1 of its level, and what is left is less than use 21 needs"
    )


def test_a_budget_that_grows_leaves_what_was_not_spent():
    spent = [use(f"c{n}", n) for n in range(1, 11)]
    for number in range(11, 31):
        found = left(holdout(spent, "sha256:d"), budget=40)
        assert found == (number, 0, 0.00125)
        spent.append(use(f"c{number}", number, budget=40))
    assert isinstance(left(holdout(spent, "sha256:d"), budget=40), str)


def test_a_reset_begins_a_new_period_and_forgets_nothing():
    lines = [
        use("a", 1),
        use("b", 2, verdict="pass"),
        reset(1),
        use("c", 1, period=1, date="2030-01-16T00:00:00Z"),
    ]
    for order in itertools.permutations(lines):
        known = holdout(order, "sha256:d")
        assert left(known) == (2, 0, 0.0025)
        assert known.find("b", "sha256:c", {}).first.number == 2  # judged before: its use is still its own


def test_a_use_on_a_branch_that_did_not_know_of_the_reset_is_of_the_old_period():
    late = use("c", 3, date="2030-01-31T00:00:00Z")
    known = holdout([use("a", 1), reset(1), late], "sha256:d")
    assert known.current == ()


def test_a_level_that_does_not_follow_from_its_line():
    changed = use("a", 7)._replace(alpha=0.05, line=3)
    with pytest.raises(ConfigurationError) as error:
        holdout([changed], "sha256:d")
    assert str(error.value) == (
        f"{LEDGER_NAME} line 3 was changed by hand: use 7, with the rule 'equal' and a level of 0.05, "
        "is not judged at 0.05.\n  Take the line from the last commit; git log -p shows who changed it."
    )


@pytest.mark.parametrize(
    "changes",
    [
        {"spending": "most"},
        {"number": 0},
        {"number": -3, "passes": -4},
        {"passes": 7},
        {"level": 0.7},
        {"budget": None},
        {"budget": 0},
        {"period": -1},
        {"alpha": float("nan")},
    ],
)
def test_numbers_that_no_line_can_have(changes):
    with pytest.raises(ConfigurationError, match="was changed by hand"):
        holdout([use("a", 7)._replace(**changes)], "sha256:d")


@pytest.mark.parametrize("spending", ["equal", "decreasing", "adaptive"])
def test_a_path_through_the_whole_budget(spending):
    """Every use is judged, none after the last, and what was spent is at most the level."""
    rule = {"spending": spending, "feedback": "binary"}
    lines: list[Use] = []
    for number in range(1, 21):
        known = holdout(lines, "sha256:d")
        found = left(known, spending=spending)
        assert not isinstance(found, str)
        assert found[:2] == (number, sum(n % 9 == 0 for n in range(1, number)))
        verdict = "pass" if number % 9 == 0 else "inconclusive"
        lines.append(use(f"c{number}", number, passes=found[1], verdict=verdict, **rule))
        assert lines[-1].alpha == found[2]
    known = holdout(lines, "sha256:d")
    assert left(known, spending=spending) == "20 of 20 uses of this holdout are spent"
    assert known.alpha <= 0.05 * (1 + 1e-12)


def test_a_level_too_small_for_any_interval():
    lines = [
        use(f"c{n}", n, passes=n - 1, budget=100, spending="adaptive", feedback="binary", verdict="pass")
        for n in range(1, 41)
    ]
    assert left(holdout(lines, "sha256:d"), budget=100, spending="adaptive") == (
        "after 40 passes among 40 uses of this holdout no level is left that an interval could be trusted at "
        "(2e-16)"
    )


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ({}, "use 1 of this holdout has shown numbers"),
        ({"feedback": "binary"}, "use 1 of this holdout was spent by the rule 'equal' with a budget of 20"),
        (
            {"feedback": "binary", "spending": "adaptive", "budget": None},
            "use 1 of this holdout was spent by the rule 'adaptive' with no budget",
        ),
        ({"feedback": "binary", "spending": "adaptive"}, ""),
    ],
)
def test_what_adaptive_can_go_on_from(line, said):
    known = holdout([use("a", 1, **line)], "sha256:d")
    assert broken_promise(known, budget=20, spending="adaptive") == said
    assert broken_promise(known, budget=20, spending="equal") == ""


# -- branches ------------------------------------------------------------------------------------------


def git(folder, *arguments, check=True):
    return subprocess.run(
        ["git", "-c", "user.name=a", "-c", "user.email=a@example.com", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        check=check,
        timeout=60,
    )


@pytest.fixture
def repository(tmp_path):
    """A repository whose ledger holds six uses."""
    git(tmp_path, "init", "-q", "-b", "main")
    (tmp_path / ".gitattributes").write_text(f"{LEDGER_NAME} merge=union\n")
    write(tmp_path, *(use(f"c{n}", n) for n in range(1, 7)))
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-q", "-m", "six uses")
    return tmp_path


def write(folder, *lines):
    with (folder / LEDGER_NAME).open("a", encoding="utf-8") as file:
        file.writelines(f"{render(line)}\n" for line in lines)


def commit_on(folder, branch, *lines):
    git(folder, "checkout", "-q", "-b", branch, "main")
    write(folder, *lines)
    git(folder, "commit", "-q", "-a", "-m", branch)


def merged(folder, *branches):
    git(folder, "checkout", "-q", "main")
    for branch in branches:
        git(folder, "merge", "-q", "--no-edit", branch)
    return holdout(parse((folder / LEDGER_NAME).read_bytes()), "sha256:d")


def test_two_branches_with_a_use_seven_each_have_used_eight(repository):
    commit_on(repository, "one", use("x", 7), use("x", 7, verdict="regressed"))
    commit_on(repository, "two", use("y", 7), use("y", 7, verdict="pass"))
    known = merged(repository, "one", "two")
    assert left(known) == (9, 1, 0.0025)
    assert known.alpha == pytest.approx(8 * 0.0025)


def test_two_branches_that_judged_the_same_candidate_have_used_seven(repository):
    commit_on(repository, "one", use("x", 7), use("y", 8))
    commit_on(repository, "two", use("y", 7, date="2030-01-07T10:00:00Z"))
    known = merged(repository, "one", "two")
    assert len(known.current) == 8
    assert known.find("y", "sha256:c", {}).first.number == 7  # the earlier of the two
    assert known.alpha == pytest.approx(8 * 0.0025)


def test_branches_that_used_more_together_than_there_was(repository):
    for branch in ("one", "two"):
        commit_on(repository, branch, *(use(f"{branch}{n}", n) for n in range(7, 21)))
    known = merged(repository, "one", "two")
    assert left(known) == "34 of 20 uses of this holdout are spent"
    assert known.alpha == pytest.approx(34 * 0.0025)
    assert known.find("two20", "sha256:c", {}) is not None  # and can be judged again, as before


def test_decreasing_parts_that_two_branches_both_took(repository):
    (repository / LEDGER_NAME).write_text("")
    git(repository, "commit", "-q", "-a", "-m", "none")
    rule = {"spending": "decreasing", "budget": None}
    commit_on(repository, "one", use("x", 1, **rule))
    commit_on(repository, "two", use("y", 1, **rule))
    known = merged(repository, "one", "two")
    assert left(known, budget=None, spending="decreasing") == (
        "2 uses of this holdout have spent 1.216 of its level, and what is left is less than use 3 needs"
    )


def test_without_the_union_driver_a_merge_conflicts_and_says_what_to_do(repository):
    (repository / ".gitattributes").unlink()
    git(repository, "commit", "-q", "-a", "-m", "no driver")
    commit_on(repository, "one", use("x", 7))
    commit_on(repository, "two", use("y", 7))
    git(repository, "checkout", "-q", "main")
    git(repository, "merge", "-q", "--no-edit", "one")
    assert git(repository, "merge", "-q", "--no-edit", "two", check=False).returncode == 1
    with pytest.raises(ConfigurationError, match=r"line 7 is a mark of a merge conflict\.") as error:
        parse((repository / LEDGER_NAME).read_bytes())
    assert 'With "model-gate.ledger.jsonl merge=union" in .gitattributes' in error.value.remedy


# -- what makes a use the same -----------------------------------------------------------------------------


def digest(project, **keys) -> str:
    evaluation = project.evaluation(**keys)
    judged = evaluation._judged
    assert isinstance(judged, Judged)
    return prediction_digest(judged, [role for role in judged.predicted if role != "baseline"])


DESIGNS = {
    "plain": {},
    "slices": {"slices": (SliceSpec(by="region"),)},
    "weights": {"sample_weight": "w"},
    "groups": {"groups": "g"},
    "strata": {"strata": "region"},
}


@pytest.fixture
def designed(project):
    """A dataset with weights and groups."""
    rng = np.random.default_rng(3)
    project.frame["w"] = rng.choice([0.5, 1.0, 1.7], size=len(project.frame))
    project.frame["g"] = rng.integers(0, 200, size=len(project.frame))

    def save(frame):
        frame[["id", "x", "z", "y", "region", "w", "g"]].to_parquet(project.root / "data.parquet")
        project.write_scores(frame)

    project.write = save
    save(project.frame)
    return project


@pytest.mark.parametrize("design", DESIGNS)
def test_the_order_of_the_rows_changes_no_digest(designed, design):
    before = digest(designed, **DESIGNS[design])
    designed.write(designed.frame.sample(frac=1, random_state=1))
    assert digest(designed, **DESIGNS[design]) == before


@pytest.mark.parametrize("design", ["slices", "weights", "groups", "strata"])
def test_exchanging_predictions_between_rows_that_differ_in_the_design_does(designed, design):
    keys, frame = DESIGNS[design], designed.frame
    column = {"slices": "region", "weights": "w", "groups": "g", "strata": "region"}[design]
    before, plain = digest(designed, **keys), digest(designed)
    one = 0
    other = next(
        i
        for i in range(1, len(frame))
        if frame["y"][i] == frame["y"][one] and frame[column][i] != frame[column][one]
    )
    scores = ["cand", "prod", "bad"]
    frame.loc[[one, other], scores] = frame.loc[[other, one], scores].to_numpy()
    designed.write(frame)
    assert digest(designed, **keys) != before
    assert digest(designed) == plain  # to a plain sample these rows are alike


def test_where_features_are_searched_every_row_is_one_of_its_own(project):
    judged = project.evaluation()._judged
    same = project.frame.index[project.frame["y"] == 1][:2]
    scores = ["cand", "prod", "bad"]
    project.frame.loc[same, scores] = project.frame.loc[same[::-1], scores].to_numpy()
    project.write_scores(project.frame)
    exchanged = project.evaluation()._judged
    assert prediction_digest(judged, ["candidate"]) == prediction_digest(exchanged, ["candidate"])
    assert prediction_digest(judged, ["candidate"], in_order=True) != prediction_digest(
        exchanged, ["candidate"], in_order=True
    )


@pytest.mark.parametrize("column", ["cand", "prod"])
def test_the_last_bit_of_one_prediction_does(project, column):
    before = digest(project)
    project.frame.loc[5, column] = np.nextafter(project.frame.loc[5, column], 1)
    project.write_scores(project.frame)
    assert digest(project) != before


def test_a_model_that_is_not_asked_does_not(project):
    before = digest(project)
    project.frame["bad"] = 0.5
    project.write_scores(project.frame)
    assert digest(project) == before


@pytest.mark.parametrize(
    "changes",
    [
        {"metrics": ("roc_auc",)},
        {"max_regression": {"*": Tolerance(0.01)}},
        {"min_gain": {"*": 0.1}},
        {"floors": {"roc_auc": 0.8}},
        {"slices": (SliceSpec(by="region"),)},
        {"alpha": 0.1},
        {"find_slices": FindSlices()},
        {"on_inconclusive": "warn"},
        {"threshold": {"candidate": 0.4}},
        {"pos_label": 0},
        {"sample_weight": "w"},
        {"groups": "g"},
        {"baseline": "last_value"},
        {"drop_missing_target": True},
        {"target": "z"},
    ],
)
def test_what_is_asked_changes_the_digest(project, changes):
    assert config_digest(replace(project.spec, **changes)) != config_digest(project.spec)


@pytest.mark.parametrize(
    "changes",
    [
        {"name": "other"},
        {"decision": "lend"},
        {"candidate": BAD},
        {"production": BAD},
        {"metrics": ("log_loss", "roc_auc")},
        {"holdout_budget": 20},
        {"spending": "decreasing"},
        {"feedback": "binary"},
        {"root": "/elsewhere"},
        {"tracking_uri": "sqlite:///mlflow.db"},
        {"trusted_sources": ("*",)},
        {"waivers": (Waiver(gate="credit", metric="roc_auc", reason="r", owner="o", expires="2030-01-01"),)},
    ],
)
def test_what_is_not_asked_does_not(project, changes):
    assert config_digest(replace(project.spec, **changes)) == config_digest(project.spec)


def test_the_order_of_slices_is_nothing(project):
    one, two = SliceSpec(by="region", min_rows=10), SliceSpec(by="x")
    assert config_digest(replace(project.spec, slices=(one, two))) == config_digest(
        replace(project.spec, slices=(two, one))
    )


# -- a gate with a ledger ------------------------------------------------------------------------------------


def ledger(project) -> list[Use | Reset]:
    """Return the lines about uses; one about the rows of each dataset is beside them."""
    path = project.root / LEDGER_NAME
    entries = parse(path.read_bytes()) if path.exists() else []
    return [entry for entry in entries if not isinstance(entry, Content)]


def counted(project) -> int:
    digests = {entry.dataset for entry in ledger(project)}
    return sum(len(holdout(ledger(project), digest).uses) for digest in digests)


LOOSE = {"max_regression": {"*": Tolerance(0.02)}}


def test_without_the_key_nothing_is_written(project):
    record = project.record()
    assert record.holdout is None
    assert record.alpha == 0.05
    assert not (project.root / LEDGER_NAME).exists()


def test_a_use_is_judged_at_its_part_of_the_level(project):
    record = project.record(holdout_budget=20, **LOOSE)
    assert record.verdict is Verdict.PASS
    assert record.alpha == 0.0025
    assert {line.interval.level for line in record.lines} == {0.995}
    assert (record.holdout.number, record.holdout.budget, record.holdout.spending) == (1, 20, "equal")
    plain = project.record(alpha=0.0025, **LOOSE)
    assert record.lines == plain.lines
    reserved, settled = ledger(project)
    assert (reserved.verdict, settled.verdict) == ("", "pass")
    assert settled._replace(verdict="", date=reserved.date, line=2) == reserved
    assert reserved.limits == {
        "baseline log_loss": "all: 0",
        "baseline roc_auc": "all: 0",
        "regression log_loss": "all: 0.02",
        "regression roc_auc": "all: 0.02",
    }
    assert (reserved.source, reserved.rows, reserved.gate) == ("data.parquet", 2000, "credit")


def test_planning_speaks_of_the_level_in_force(project):
    tight = {"max_regression": {"*": Tolerance(0.001)}}
    few, many = project.record(**tight), project.record(holdout_budget=20, **tight)
    assert few.lines[1].rows_needed < many.lines[1].rows_needed


def test_again_is_the_same_use_with_the_same_answer(project):
    keys = {"holdout_budget": 20, "spending": "decreasing", **LOOSE}
    project.record(**keys)
    first = project.record(**keys)
    project.record(candidate=BAD, **keys)
    assert project.record(**keys) == first
    assert counted(project) == 2
    assert len(ledger(project)) == 4


def test_the_name_of_a_model_is_nothing(project):
    keys = {"holdout_budget": 20, **LOOSE}
    project.record(**keys)
    project.frame["renamed"] = project.frame["cand"]
    project.frame[["id", "renamed", "prod"]].to_parquet(project.root / "others.parquet")
    record = project.record(
        candidate="predictions:others.parquet#renamed",
        production="predictions:others.parquet#prod",
        name="again",
        decision="another word",
        **keys,
    )
    assert record.holdout.number == 1
    assert counted(project) == 1


def test_a_tolerance_that_was_tuned_is_a_new_use(project):
    project.record(holdout_budget=20, max_regression={"*": Tolerance(0.001)})
    assert project.record(holdout_budget=20, **LOOSE).holdout.number == 2


def test_a_new_production_model_is_a_new_question(project):
    project.record(holdout_budget=20, **LOOSE)
    assert project.record(holdout_budget=20, production=BAD, **LOOSE).holdout.number == 2


def test_two_gates_on_one_dataset_share_its_uses(project):
    project.record(holdout_budget=20, **LOOSE)
    record = project.record(name="other", metrics=("accuracy",), holdout_budget=20, **LOOSE)
    assert record.holdout.number == 2


def test_assertions_of_one_gate_are_one_use(project):
    evaluation = project.evaluation(holdout_budget=20, **LOOSE)
    records = [
        evaluation.no_regression("roc_auc", 0.01),
        evaluation.no_regression("log_loss"),
        evaluation.beats_baseline("roc_auc", 0.02),
        evaluation.at_least("roc_auc", 0.8),
    ]
    assert {record.holdout.number for record in records} == {1}
    assert counted(project) == 1
    again = project.evaluation(holdout_budget=20, **LOOSE)
    assert again.at_least("roc_auc", 0.8).holdout.number == 1
    assert again.at_least("roc_auc", 0.85).holdout.number == 2  # the same question with another limit
    assert again.record().holdout.number == 2  # the gate's own tolerance, after 0.01 was tried
    assert again.no_regression("roc_auc", 0.01).holdout.number == 1


def test_slices_belong_to_the_limit(project):
    slices = (SliceSpec(by="region", max_regression={"*": Tolerance(0.1)}),)
    evaluation = project.evaluation(holdout_budget=20, slices=slices, **LOOSE)
    evaluation.record()
    assert evaluation.no_regression("roc_auc").holdout.number == 1
    # 0.02 is the gate's on all rows, but here it takes the place of the slices' own, too.
    assert evaluation.no_regression("roc_auc", 0.02).holdout.number == 2


def test_pins_and_schemas_spend_nothing(project):
    evaluation = project.evaluation(holdout_budget=20)
    assert evaluation.pinned().holdout is None
    assert evaluation.schema().holdout is None
    assert not (project.root / LEDGER_NAME).exists()


def test_what_fails_before_anything_is_judged_spends_nothing(project):
    project.record(holdout_budget=20, pin=False)
    assert project.record(holdout_budget=20, candidate="predictions:none.parquet#p").verdict is Verdict.ERROR
    project.frame.loc[3, "cand"] = np.nan
    project.write_scores(project.frame)
    assert project.record(holdout_budget=20).verdict is Verdict.INVALID
    assert not (project.root / LEDGER_NAME).exists()


def test_a_line_without_a_value_spends_what_its_neighbours_show(project):
    project.write(project.frame.assign(region=np.where(project.frame["y"] == 1, "all good", "mixed")))
    keys = {"slices": (SliceSpec(by="region"),), "metrics": ("roc_auc",), **LOOSE}
    record = project.record(holdout_budget=20, **keys)
    assert record.verdict is Verdict.ERROR
    assert record.holdout.number == 1
    assert [entry.verdict for entry in ledger(project)] == ["", "error"]


def test_the_end_of_the_budget_judges_nothing_new(project):
    keys = {"holdout_budget": 2, **LOOSE}
    first = project.record(**keys)
    project.record(candidate=BAD, **keys)
    before = (project.root / LEDGER_NAME).read_bytes()
    record = project.record(candidate=PROD, **keys)
    assert record.verdict is Verdict.ERROR
    assert record.reason == "holdout: 2 of 2 uses of this holdout are spent."
    assert (record.lines, record.holdout) == ((), None)
    (finding,) = record.checks[-1].findings
    assert finding.remedy == (
        "Use a fresh holdout (and pin it), or run `model-gate ledger --reset data.parquet --reason '...'`, "
        "which is recorded."
    )
    assert project.record(pin=False, **keys).lines == first.lines
    assert (project.root / LEDGER_NAME).read_bytes() == before


def test_an_undecided_verdict_cannot_be_let_through_at_the_end(project):
    keys = {"holdout_budget": 1, "on_inconclusive": "pass", **LOOSE}
    project.record(**keys)
    assert project.record(candidate=PROD, **keys).verdict is Verdict.ERROR


def test_other_rows_are_another_holdout(project):
    project.record(holdout_budget=1, **LOOSE)
    project.write(project.frame.assign(x=project.frame["x"] + 1))
    record = project.record(holdout_budget=1, **LOOSE)
    assert record.holdout.number == 1
    assert record.notes == ()


def test_a_ledger_that_cannot_be_written(project):
    (project.root / LEDGER_NAME).mkdir()
    record = project.record(holdout_budget=20, **LOOSE)
    assert record.verdict is Verdict.ERROR
    assert record.lines == ()
    assert (
        record.reason
        == f"holdout: {(project.root / LEDGER_NAME).as_posix()} cannot be written: Is a directory."
    )


def test_a_ledger_that_is_damaged(project):
    (project.root / LEDGER_NAME).write_text("<<<<<<< HEAD\n")
    record = project.record(holdout_budget=20, **LOOSE)
    assert record.verdict is Verdict.ERROR
    assert record.reason == f"holdout: {LEDGER_NAME} line 1 is a mark of a merge conflict."
    assert (project.root / LEDGER_NAME).read_text() == "<<<<<<< HEAD\n"


def test_a_verdict_that_cannot_be_written_is_not_shown(project, monkeypatch):
    from pytest_model_gate.gate import reuse

    monkeypatch.setattr(reuse.Reuse, "settle", lambda *_: (_ for _ in ()).throw(OSError("gone")))
    record = project.record(holdout_budget=20, **LOOSE)
    assert record.verdict is Verdict.ERROR
    assert record.lines == ()
    assert [entry.verdict for entry in ledger(project)] == [""]  # it counts all the same
    monkeypatch.undo()
    assert project.record(holdout_budget=20, **LOOSE).holdout.number == 1


def test_a_crash_while_judging_counts(project, monkeypatch):
    from pytest_model_gate.gate import evaluate

    def crash(*_, **__):
        raise ZeroDivisionError

    monkeypatch.setattr(evaluate.Together, "judge", crash)
    with pytest.raises(ZeroDivisionError):
        project.record(holdout_budget=20, **LOOSE)
    monkeypatch.undo()
    assert counted(project) == 1
    assert project.record(holdout_budget=20, candidate=BAD, **LOOSE).holdout.number == 2


# -- only pass or not pass -----------------------------------------------------------------------------------


def test_binary_feedback_tells_one_of_two_things(project):
    keys = {"feedback": "binary", "baseline": "", **LOOSE}
    good, bad = project.record(**keys), project.record(candidate=BAD, **keys)
    assert (good.verdict, good.reason) == (
        Verdict.PASS,
        'with feedback = "binary" no more is said',
    )
    assert (bad.verdict, bad.reason) == (
        Verdict.INCONCLUSIVE,
        'does not pass; with feedback = "binary" no more is said',
    )
    assert good.lines == bad.lines == ()
    assert project.record(candidate=BAD, **LOOSE).verdict is Verdict.REGRESSED


def test_binary_feedback_hides_which_line_has_no_value(project):
    frame = project.frame.assign(region=np.where(project.frame["y"] == 1, "all good", "mixed"))
    project.write(frame)
    keys = {"slices": (SliceSpec(by="region"),), "metrics": ("roc_auc",), **LOOSE}
    assert project.record(**keys).verdict is Verdict.ERROR
    hidden = project.record(feedback="binary", **keys)
    assert (hidden.verdict, hidden.lines) == (Verdict.INCONCLUSIVE, ())


def test_binary_feedback_hides_the_slices_that_were_found(project):
    keys = {"find_slices": FindSlices(columns=("x",)), "candidate": BAD, **LOOSE}
    assert project.record(**keys).search is not None
    hidden = project.record(feedback="binary", **keys)
    assert (hidden.lines, hidden.search) == ((), None)


def test_binary_feedback_hides_the_lines_beside_a_check_that_failed(project):
    keys = {"find_slices": FindSlices(columns=("nowhere",)), **LOOSE}
    open_ = project.record(**keys)
    assert open_.verdict is Verdict.ERROR
    assert open_.lines
    hidden = project.record(feedback="binary", **keys)
    assert (hidden.verdict, hidden.reason, hidden.lines) == (Verdict.ERROR, open_.reason, ())


def test_binary_feedback_explains_what_failed_before(project):
    record = project.record(feedback="binary", candidate="predictions:none.parquet#p")
    assert record.verdict is Verdict.ERROR
    assert "none.parquet" in record.reason


def test_binary_feedback_answers_for_the_whole_gate_only(project):
    evaluation = project.evaluation(feedback="binary", holdout_budget=20)
    for record in (
        evaluation.no_regression("roc_auc"),
        evaluation.beats_baseline(),
        evaluation.at_least("roc_auc", 0.5),
    ):
        assert record.verdict is Verdict.ERROR
        assert record.lines == ()
    assert record.reason == (
        'assertion: assert_at_least asks for a part, and feedback = "binary" gives one answer for each '
        "candidate."
    )
    assert not (project.root / LEDGER_NAME).exists()


ADAPTIVE = {"holdout_budget": 20, "spending": "adaptive", "feedback": "binary", **LOOSE}


def test_the_adaptive_rule_pays_for_passes(project):
    assert project.record(**ADAPTIVE).alpha == pytest.approx(0.05 / 20 / 2)
    bad = project.record(candidate=BAD, **ADAPTIVE)
    assert bad.alpha == pytest.approx(0.05 / 20 / 4)
    assert (bad.holdout.number, bad.holdout.passes) == (2, 1)
    third = project.record(candidate=PROD, **ADAPTIVE)
    assert third.alpha == pytest.approx(0.05 / 20 / 4 / 2)
    assert {entry.verdict for entry in ledger(project)} == {"", "pass", "inconclusive"}


def test_the_adaptive_rule_ends_where_numbers_were_shown(project):
    project.record(**ADAPTIVE)
    # The same candidate, so no use is spent; but now its numbers are known.
    full = project.record(**{**ADAPTIVE, "spending": "equal", "feedback": "full"})
    assert full.lines
    assert counted(project) == 1
    record = project.record(candidate=BAD, **ADAPTIVE)
    assert record.verdict is Verdict.ERROR
    assert record.reason == (
        "holdout: use 1 of this holdout has shown numbers: the rule 'adaptive' cannot go on from there."
    )


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        (
            {"spending": "adaptive", "holdout_budget": 20},
            "gate 'credit': spending = \"adaptive\" holds for developers who see only pass or not pass, and "
            "feedback = 'full' shows them numbers.\n"
            '  Add feedback = "binary", or take spending = "equal".',
        ),
        (
            {"spending": "equal"},
            "gate 'credit': spending = \"equal\" shares alpha among a number of uses, and there is none.\n"
            "  Add holdout_budget = 20.",
        ),
        (
            {"holdout_budget": 0},
            "gate 'credit': holdout_budget must be at least 1, got 0.\n  Usual is holdout_budget = 20.",
        ),
        (
            {
                "feedback": "binary",
                "waivers": (
                    Waiver(gate="credit", metric="roc_auc", reason="r", owner="o", expires="2099-01-01"),
                ),
            },
            "gate 'credit': a waiver is for one line, and feedback = \"binary\" shows none.\n"
            "  Remove the waivers, or the key feedback.",
        ),
    ],
)
def test_keys_that_make_no_sense_together(project, keys, message):
    with pytest.raises(ConfigurationError) as error:
        project.evaluation(**keys)
    assert str(error.value) == message
