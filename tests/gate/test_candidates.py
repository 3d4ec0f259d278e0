"""Several candidates on one holdout: who decides, at which level, what is counted and may be promoted."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from gate_rows import N, make_frame, sigmoid

from pytest_model_gate.errors import ConfigurationError
from pytest_model_gate.gate.candidates import evaluation_of
from pytest_model_gate.gate.compare import compare
from pytest_model_gate.gate.evaluate import evaluate
from pytest_model_gate.gate.names import checked
from pytest_model_gate.gate.promotion import promotion
from pytest_model_gate.report.terminal import block, failure_text
from pytest_model_gate.results import GateRecord, Verdict
from pytest_model_gate.wire import from_plain, to_plain


@pytest.fixture
def scores(project):
    """Write more models' predictions beside the usual ones."""
    frame = make_frame()
    rng = np.random.default_rng(3)
    x, z = frame["x"], frame["z"]
    frame["better"] = sigmoid(2 * (x + z) + 0.01 * rng.normal(size=N))
    frame["noisy"] = sigmoid(2 * (x + z) + 0.9 * rng.normal(size=N))
    columns = ["id", "cand", "prod", "bad", "better", "noisy"]
    frame[columns].to_parquet(project.root / "scores.parquet")
    return frame


def of(*names):
    return tuple(f"predictions:scores.parquet#{name}" for name in names)


def contest(project, *names, **keys):
    sources = of(*names)
    spec = replace(project.spec, candidate=sources[0], candidates=sources, **keys)
    return evaluation_of(checked(spec, project.registry), project.registry, pin=True)


def text(record):
    return "\n".join(line.text for line in block(record))


def test_the_best_that_passes_decides(project, scores):
    record = contest(project, "bad", "cand", "noisy").record()
    board = record.leaderboard
    assert record.verdict is Verdict.PASS
    assert record.reason == (
        "predictions:scores.parquet#cand is the only one of 3 candidates that passes: 4 lines judged"
    )
    assert board.winner == "predictions:scores.parquet#cand"
    assert [role.resolved for role in record.roles if role.role == "candidate"] == [board.winner]
    assert [(each.rank, each.resolved[-5:], each.verdict.value) for each in board.standings] == [
        (1, "#cand", "pass"),
        (2, "noisy", "regressed"),
        (3, "t#bad", "regressed"),
    ]
    assert (board.metric, board.alpha, board.correction) == ("roc_auc", 0.05, "max-t")
    assert 0.05 / 3 <= board.level < 0.05
    assert record.alpha == board.level
    said = text(record)
    assert (
        "  candidates  3 candidates by the gain in roc_auc over production; alpha 0.05 for all 3, shared by "
        f"how the candidates hang together (max-T): {board.level:.3g} for each\n" in said
    )
    assert "pass, decides   the best\n" in said
    assert "proven worse than the best\n" in said


def test_the_first_by_gain_does_not_decide_where_it_fails_elsewhere(project, scores):
    frame = scores.assign(sharp=scores["cand"] ** 3)  # ranks as well, says other odds
    frame[["id", "cand", "prod", "sharp"]].to_parquet(project.root / "scores.parquet")
    record = contest(project, "sharp", "prod").record()
    first, second = record.leaderboard.standings
    assert first.resolved.endswith("#sharp")
    assert first.line.verdict is Verdict.PASS
    assert first.verdict is Verdict.REGRESSED
    assert second.resolved == record.leaderboard.winner == "predictions:scores.parquet#prod"
    assert record.verdict is Verdict.PASS


def test_where_none_passes_the_best_says_why(project, scores):
    record = contest(project, "bad", "noisy").record()
    assert record.verdict is Verdict.REGRESSED
    assert record.leaderboard.winner == ""
    assert record.reason.startswith(
        "none of 2 candidates passes; the best, predictions:scores.parquet#noisy: roc_auc on all: worse than "
        "production by more than the tolerance: "
    )
    assert "proven worse than the best" in failure_text(record)


def test_intervals_are_those_of_the_shared_level(project, scores):
    record = contest(project, "cand", "noisy").record()
    for each, name in zip(record.leaderboard.standings, ("cand", "noisy"), strict=True):
        alone = compare(
            scores["y"].to_numpy(),
            scores[name].to_numpy(),
            scores["prod"].to_numpy(),
            metric="roc_auc",
            max_regression="1%",
            alpha=record.alpha,
        )
        assert (each.line.interval.low, each.line.interval.high) == (alone.interval.low, alone.interval.high)


def test_ties_are_said(project, scores):
    record = contest(project, "cand", "better", "bad").record()
    assert [each.behind for each in record.leaderboard.standings] == [False, False, True]
    said = text(record)
    assert "the best, by chance or not: 1 cannot be told apart\n" in said
    assert "cannot be told apart from the best\n" in said


def test_neither_the_order_of_candidates_nor_of_rows_matters(project, scores):
    record = contest(project, "bad", "cand", "better", "noisy").record()
    again = contest(project, "noisy", "better", "bad", "cand").record()
    assert again.leaderboard == record.leaderboard
    shuffled = scores.sample(frac=1, random_state=1)
    shuffled[["id", "x", "z", "y", "region"]].to_parquet(project.root / "data.parquet")
    moved = contest(project, "bad", "cand", "better", "noisy").record()
    assert moved.lines == record.lines
    assert [each.line for each in moved.leaderboard.standings] == [
        each.line for each in record.leaderboard.standings
    ]


def test_slices_and_metrics_without_influence_get_equal_shares(project, scores):
    sliced = contest(project, "cand", "better", slices=project_slices()).record()
    assert (sliced.leaderboard.correction, sliced.alpha) == ("bonferroni", 0.025)
    assert "shared equally (Bonferroni): 0.025 for each" in text(sliced)


def project_slices():
    from pytest_model_gate.spec import SliceSpec

    return (SliceSpec(by="region", min_rows=100),)


def test_one_that_cannot_be_loaded_keeps_nobody_from_passing_and_is_said(project, scores):
    record = contest(project, "gone", "cand").record()
    assert record.verdict is Verdict.PASS
    why = "candidate: 'scores.parquet' has no column 'gone' for the prediction."
    assert record.notes[0] == f"predictions:scores.parquet#gone could not be ranked: {why}"
    last = record.leaderboard.standings[-1]
    assert (last.rank, last.verdict, last.reason, last.line) == (None, Verdict.ERROR, why, None)
    nothing = contest(project, "gone", "lost").record()
    assert nothing.verdict is Verdict.ERROR
    assert nothing.leaderboard.winner == ""


def test_one_that_breaks_its_contract_is_judged_by_itself(project, scores):
    frame = scores.assign(broken=np.where(np.arange(N) < 3, np.nan, scores["cand"]))
    frame[["id", "cand", "prod", "broken"]].to_parquet(project.root / "scores.parquet")
    record = contest(project, "broken", "cand").record()
    alone = contest(project, "cand").record()
    assert record.verdict is Verdict.PASS
    assert record.lines == alone.lines
    assert record.leaderboard.standings[-1].verdict is Verdict.INVALID


def test_everything_is_scored_once(project, monkeypatch):
    project.module(
        "counted",
        "import numpy as np\n"
        "calls = []\n"
        "def model(name, factor):\n"
        "    def predict(frame):\n"
        "        calls.append((name, len(frame)))\n"
        "        return 1 / (1 + np.exp(-factor * (frame['x'] + frame['z']).to_numpy()))\n"
        "    return lambda: predict\n"
        "old, one, two = model('old', 1.9), model('one', 2.0), model('two', 2.1)\n",
    )
    monkeypatch.syspath_prepend(str(project.root))
    sources = ("python:counted:one", "python:counted:two")
    spec = replace(
        project.spec, candidate=sources[0], candidates=sources, production="python:counted:old",
        trusted_sources=("python:*",), key="",
    )  # fmt: skip
    record = evaluate(spec, registry=project.registry, pin=True)
    assert record.verdict is Verdict.PASS, record
    import counted

    whole = [name for name, rows in counted.calls if rows == N]
    assert sorted(whole) == ["old", "one", "two"]


def test_a_threshold_is_for_all_candidates(project, scores):
    keys = {"metrics": ("accuracy",), "threshold": {"candidate": 0.3, "production": 0.3}}
    record = contest(project, "noisy", "cand", **keys).record()
    alone = {name: contest(project, name, **keys).record() for name in ("noisy", "cand")}
    for each in record.leaderboard.standings:
        name = each.resolved.partition("#")[2]
        assert each.line.candidate == alone[name].lines[0].candidate


def test_parts_cannot_be_asked(project, scores):
    evaluation = contest(project, "cand", "better")
    record = evaluation.no_regression("roc_auc")
    assert record.verdict is Verdict.ERROR
    assert record.reason == (
        "assert_no_regression asks for a part of gate 'credit', which has several candidates: each part "
        "might be passed by another one."
    )
    assert evaluation.pinned().verdict is Verdict.PASS
    assert evaluation.model("candidate").resolved == evaluation.record().leaderboard.winner


@pytest.mark.parametrize(
    ("sources", "keys", "what"),
    [
        (of("cand", "cand"), {}, "names the candidate predictions:scores.parquet#cand twice."),
        (of(*map(str, range(51))), {}, "has 51 candidates, and at most 50 can be compared."),
        (
            of("cand", "better"),
            {"feedback": "binary"},
            'has several candidates, whose ranks tell more than feedback = "binary" may.',
        ),
    ],
)
def test_lists_that_cannot_be_compared(project, sources, keys, what):
    spec = replace(project.spec, candidate=sources[0], candidates=sources, **keys)
    with pytest.raises(ConfigurationError) as caught:
        checked(spec, project.registry)
    assert caught.value.what == f"gate 'credit' {what}"


class TestLedger:
    def test_each_candidate_is_a_use(self, project, scores):
        record = contest(project, "cand", "better", "bad", holdout_budget=10).record()
        board = record.leaderboard
        assert (board.correction, board.level) == ("ledger", 0.005)
        assert sorted(each.holdout.number for each in board.standings) == [1, 2, 3]
        assert "alpha 0.05 for all 3, each a use of the holdout\n" in text(record)

    def test_again_alone_or_together_is_the_same_use(self, project, scores):
        first = contest(project, "cand", "better", holdout_budget=10).record()
        again = contest(project, "better", "bad", "cand", holdout_budget=10).record()
        numbers = {each.resolved: each.holdout.number for each in first.leaderboard.standings}
        for each in again.leaderboard.standings:
            assert each.holdout.number == numbers.get(each.resolved, 3)
        alone = project.record(candidate=of("cand")[0], holdout_budget=10)
        assert alone.holdout.number == numbers["predictions:scores.parquet#cand"]

    def test_a_spent_budget_is_no_pass(self, project, scores):
        record = contest(project, "cand", "better", "bad", holdout_budget=2).record()
        out = [each for each in record.leaderboard.standings if each.line is None]
        assert [each.reason for each in out] == ["holdout: 2 of 2 uses of this holdout are spent."]
        assert out[0].verdict is Verdict.ERROR


def test_the_record_crosses_processes_and_older_ones_are_read(project, scores):
    record = contest(project, "cand", "bad").record()
    plain = to_plain(record)
    assert from_plain(GateRecord, plain) == record
    del plain["leaderboard"]
    assert from_plain(GateRecord, plain).leaderboard is None


def test_the_version_that_won_is_what_is_promoted(project, scores):
    record = contest(project, "bad", "cand").record()

    def registered(role):
        if role.role == "candidate":
            return replace(role, source="models:/credit/13", resolved="models:/credit/13", digest="sha256:c")
        if role.role == "production":
            return replace(role, source="models:/credit@champion", resolved="models:/credit/1")
        return role

    shown = replace(
        record,
        roles=tuple(map(registered, record.roles)),
        dataset=replace(record.dataset, pin="pinned"),
    )
    wanted = promotion([shown], "champion")
    assert (wanted.version, wanted.digest, wanted.expected) == ("13", "sha256:c", "1")


def test_scores_of_every_candidate_stay_on_their_rows(project, scores):
    """The shared pass gives each candidate its own predictions, not those of a neighbour."""
    record = contest(project, "noisy", "cand", "bad").record()
    for each in record.leaderboard.standings:
        name = each.resolved.partition("#")[2]
        alone = project.record(candidate=of(name)[0])
        line = next(line for line in alone.lines if line.question == "regression")
        assert (each.line.candidate, each.line.gain) == (line.candidate, line.gain)
    assert isinstance(scores, pd.DataFrame)
