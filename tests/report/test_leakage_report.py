"""What leaked rows do to the metrics, as a short table."""

from pytest_model_gate.report.leakage import leakage
from pytest_model_gate.results import FeatureStrength, LeakageRecord, LeakEffect


def record(*effects, **keys):
    return LeakageRecord(
        source="train.parquet",
        resolved="",
        digest="",
        pin="not pinned",
        training_rows=9,
        rows=100,
        effects=tuple(
            LeakEffect(without=way, metric="roc_auc", rows=rows, candidate=c, production=p, gain=g)
            for way, rows, c, p, g in effects
        ),
        **keys,
    )


WHOLE = ("", 100, 0.91, 0.9, 0.01)


def texts(found, verbosity=0):
    return [line.text for line in leakage(found, verbosity=verbosity)]


def test_nothing_found_needs_no_table():
    assert texts(record()) == []


def test_with_and_without():
    assert texts(record(WHOLE, ("exact", 90, 0.88, 0.89, -0.01))) == [
        "metric    leaked rows      rows    production    candidate     gain",
        "roc_auc   with              100        0.9000       0.9100   0.0100",
        "roc_auc   without            90        0.8900       0.8800  -0.0100",
    ]


def test_all_ways_together_by_default_and_each_on_demand():
    exact, nothing = ("exact", 90, 0.88, 0.89, -0.01), ("any", 0, None, None, None)
    found = record(WHOLE, exact, ("key", 95, 0.9, None, None), nothing)
    short, long = texts(found), texts(found, verbosity=1)
    assert [line.split()[1] for line in short[1:]] == ["with", "without"]
    assert short[2].split()[2:] == ["0", "-", "-", "-"]
    assert [line[9:36].strip().partition("  ")[0] for line in long[1:]] == [
        "with",
        "without, by features",
        "without, by key",
        "without",
    ]


def test_as_many_decimals_as_make_a_difference():
    lines = texts(record(WHOLE, ("exact", 99, 0.9100012, 0.9, 0.0100012)))
    assert lines[2].split()[-2:] == ["0.9100012", "0.0100012"]


def test_details_say_what_was_compared():
    strength = FeatureStrength(
        feature="x", label="1", statistic="roc_auc", value=0.8, low=0.75, threshold=0.99, rows=100
    )
    found = record(columns=("a", "b"), not_compared=(("id", "a key"),), features=(strength,))
    assert texts(found) == []
    assert texts(found, verbosity=1) == [
        "  compared    a, b",
        "  not compared: id: a key",
        "  x alone: roc_auc 0.8000 of class 1, at least 0.7500, allowed 0.99",
    ]
