"""The reference pages name everything that the program has, with the defaults that it really has."""

from __future__ import annotations

import dataclasses
import inspect
import re
from pathlib import Path

import numpy as np
import pytest

from pytest_model_gate import hooks, results
from pytest_model_gate.config.resolve import REQUIRED
from pytest_model_gate.config.tables import (
    GATE_KEYS,
    ContractsTable,
    DriftTable,
    FindSlicesTable,
    LeakageTable,
    OperationsTable,
    SliceTable,
    WaiverTable,
)
from pytest_model_gate.errors import ConfigurationError
from pytest_model_gate.gate.measure import Sample, measure_floor, measure_pair
from pytest_model_gate.metrics.catalogue import ALIASES, names, resolve
from pytest_model_gate.metrics.rows import Predicted, Truth
from pytest_model_gate.plugin.fixture import ModelGate
from pytest_model_gate.report import json as json_report
from pytest_model_gate.report import run
from pytest_model_gate.spec import (
    Contracts,
    Drift,
    FindSlices,
    GateSpec,
    Leakage,
    Operations,
    SliceSpec,
    Waiver,
)
from pytest_model_gate.stats.design import Design

REFERENCE = Path(__file__).resolve().parents[2] / "docs" / "reference"


def section(page: str, title: str) -> str:
    """Return what stands below a title, up to the next one of the same or a higher level."""
    text = (REFERENCE / page).read_text(encoding="utf-8")
    found = re.search(rf"^(#+) {re.escape(title)}\n(.*?)(?=^#{{1,2}} |\Z)", text, flags=re.S | re.M)
    assert found, f"{page} has no section {title!r}"
    return found[2]


def rows(text: str) -> list[list[str]]:
    """Return the cells of the first table in a text, without its head."""
    table = re.search(r"(?:^\|.*\n)+", text, flags=re.M)
    assert table
    lines = [re.split(r"(?<!\\)\|", line.strip().strip("|")) for line in table[0].splitlines()]
    return [[cell.strip() for cell in line] for line in lines[2:]]


# -- configuration -------------------------------------------------------------------------------------


def _written(value: object) -> str:
    """Return a default as a configuration file says it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


@pytest.mark.parametrize(
    ("title", "keys", "spec"),
    [
        ("Keys of a gate", GATE_KEYS, GateSpec),
        ("Keys of a slice", tuple(SliceTable.model_fields), SliceSpec),
        ("Keys of find_slices", tuple(FindSlicesTable.model_fields), FindSlices),
        ("Keys of leakage", tuple(LeakageTable.model_fields), Leakage),
        ("Keys of contracts", tuple(ContractsTable.model_fields), Contracts),
        ("Keys of operations", tuple(OperationsTable.model_fields), Operations),
        ("Keys of drift", tuple(DriftTable.model_fields), Drift),
        ("Keys of a waiver", tuple(WaiverTable.model_fields), Waiver),
    ],
)
def test_every_key_has_a_row_with_its_default(title, keys, spec):
    defaults = {field.name: field.default for field in dataclasses.fields(spec)}
    table = rows(section("configuration.md", title))

    assert sorted(name.strip("`") for name, *_ in table) == sorted(keys)
    for name, _, default, meaning in table:
        real = defaults[name.strip("`")]
        assert meaning, name
        if default == "required":
            assert real is dataclasses.MISSING, name
        elif default.startswith("`"):
            assert default.strip("`").strip('"') == _written(real), name
        else:  # in words: nothing that a reader could take for a value
            assert real in ("", None, ()) or real is dataclasses.MISSING, name
            assert spec is not GateSpec or name.strip("`") not in REQUIRED


# -- metrics -------------------------------------------------------------------------------------------


def metric_row(name: str) -> list[str]:
    metric = resolve(name)
    aliases = ", ".join(f"`{alias}`" for alias in sorted(ALIASES) if ALIASES[alias] == name)
    return [
        f"`{name}`",
        aliases,
        metric.needs,
        "higher" if metric.higher_is_better else "lower",
        "-" if metric.family == "value" else str(metric.default_tolerance),
        metric.family,
    ]


def metric_table(title: str) -> str:
    """Return the table as it has to be, ready to be pasted."""
    task = "regression" if title == "Regression" else "classification"
    chosen = [
        name
        for name in names()
        if resolve(name).task == task
        and (title == "Regression" or resolve(name).binary_only == (title == "Two classes"))
        and not name.startswith(("f0.5_", "f2_"))
    ]
    lines = ["| name | aliases | needs | better | default tolerance | family |", "|---|---|---|---|---|---|"]
    return "\n".join([*lines, *("| " + " | ".join(metric_row(name)) + " |" for name in chosen)]) + "\n"


def test_every_parameter_has_a_row():
    text = (REFERENCE / "metrics.md").read_text(encoding="utf-8")
    table = re.search(r"^\| name \| parameter .*\n(?:\|.*\n)+", text, flags=re.M)

    assert table
    shown = [row[0].strip("`") for row in rows(table[0])]
    assert shown == [name for name in names() if "@" in name]
    for name, (_, parameter, without) in zip(shown, rows(table[0]), strict=True):
        stem = name.partition("@")[0]
        with pytest.raises(ConfigurationError) as caught:
            resolve(f"{stem}@none")
        called, _, words = caught.value.what.partition(f" of {stem} must be ")
        allowed = words.partition(", got ")[0]
        assert parameter.replace("`", "").startswith(f"{called}, {allowed}"), name
        if without == "an error":
            with pytest.raises(ConfigurationError):
                resolve(stem)
        elif re.fullmatch(r"[\d.]+", without):
            assert resolve(stem).name == f"{stem}@{without}"
        else:  # a metric that has none
            assert resolve(stem).name == stem


@pytest.mark.parametrize("title", ["Two classes", "Two or more classes", "Regression"])
def test_the_metrics_are_those_of_the_catalogue(title):
    table = re.search(r"(?:^\|.*\n)+", section("metrics.md", title), flags=re.M)

    assert table
    assert re.sub(r" +", " ", table[0]) == re.sub(r" +", " ", metric_table(title))


def measured_methods(name: str) -> dict[str, str]:
    """Return the method that each kind of comparison is really judged with."""
    rng = np.random.default_rng(0)
    n = 400
    metric = resolve(name)
    if metric.task == "regression":
        y = np.abs(np.round(rng.normal(size=n))) if metric.by_query else rng.normal(size=n)
        first, second = (Predicted(value=y + rng.normal(size=n)) for _ in range(2))
        classes = None
    else:
        y = (np.arange(n) % 2).astype(np.intp)
        scores = [1 / (1 + np.exp(-(y + rng.normal(size=n)))) for _ in range(2)]
        first, second = (Predicted(labels=(p > 0.6).astype(np.intp), probability=p) for p in scores)
        classes = (0, 1)
    truth = Truth(values=y, classes=classes, queries=np.arange(n) // 2)
    plain = Sample(truth=truth, design=Design(n=n))
    grouped = Sample(truth=truth, design=Design(n=n, groups=np.arange(n) // 4))
    return {
        "two models": measure_pair(metric, plain, first, second).inference.method,
        "a floor": measure_floor(metric, plain, first, 0.5).inference.method,
        "weights, groups, strata": measure_pair(metric, grouped, first, second).inference.method,
    }


def test_the_methods_of_each_family_are_those_that_are_used():
    table = rows(section("metrics.md", "How the interval is made"))
    families = {name: resolve(name).family for name in names()}

    assert {row[0].strip("`") for row in table} == set(families.values())
    for family, two, floor, design in table:
        example = next(name for name in names() if families[name] == family.strip("`"))
        found = measured_methods(example)
        assert found["two models"] in two, example
        assert found["a floor"] in floor, example
        assert found["weights, groups, strata"] in design, example


# -- fixtures, records, hooks ----------------------------------------------------------------------------


def test_every_assertion_has_a_row():
    table = rows(section("fixtures-and-assertions.md", "Assertions"))
    shown = {row[0].strip("`").partition("(")[0]: row[0] for row in table}
    real = [name for name in vars(ModelGate) if name.startswith("assert_")]

    assert list(shown) == real
    for name in real:
        for parameter in list(inspect.signature(getattr(ModelGate, name)).parameters)[1:]:
            assert parameter in shown[name], f"{name}: {parameter}"


def test_every_fixture_has_a_row():
    from pytest_model_gate import plugin

    real = {
        name for name, value in vars(plugin).items() if type(value).__name__ == "FixtureFunctionDefinition"
    }
    table = rows(section("fixtures-and-assertions.md", "Fixtures"))

    assert {row[0].strip("`") for row in table} == real
    assert len(real) == 5


@pytest.mark.parametrize(
    "kind",
    [
        results.GateRecord,
        results.RoleRecord,
        results.DatasetRecord,
        results.HoldoutUse,
        results.Check,
        results.Finding,
        results.Line,
        results.Interval,
        results.SmallSlice,
        results.Bins,
        results.SliceSearch,
        results.FoundSlice,
        results.DriftRecord,
        results.Operation,
        results.DriftColumn,
        results.DriftOverall,
        run.Tested,
        run.NotJudged,
    ],
)
def test_every_field_of_a_record_is_described(kind):
    page = (REFERENCE / "record.md").read_text(encoding="utf-8")
    fields = [field.name for field in dataclasses.fields(kind)]

    part = re.search(rf"^### {kind.__name__}\b[^\n]*\n(.*?)(?=^#|\Z)", page, flags=re.S | re.M)
    assert part, f"record.md has no part {kind.__name__}"
    described = [key for cell in rows(part[1]) for key in re.findall(r"`(\w+)`", cell[0])]
    assert sorted(described) == sorted(fields)


def test_every_key_of_the_document_is_described():
    import json

    real = json.loads(json_report.dumps(run.Run()))
    table = rows(section("record.md", "The document"))

    assert [row[0].strip("`") for row in table] == list(real)


def test_every_hook_has_a_part_with_its_arguments():
    page = (REFERENCE / "hooks.md").read_text(encoding="utf-8")
    real = {
        name: [argument for argument in inspect.signature(hook).parameters if argument != "self"]
        for name, hook in vars(hooks.HookSpecs).items()
        if name.startswith("model_gate_")
    }

    assert re.findall(r"^### `(\w+)\(", page, flags=re.M) == list(real)
    for name, arguments in real.items():
        assert f"### `{name}({', '.join(arguments)})`" in page
