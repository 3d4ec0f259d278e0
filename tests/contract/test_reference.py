"""The generated pages say what the program says, and what it writes fits the schema that it publishes."""

from __future__ import annotations

import json

import pytest

import reference
from pytest_model_gate import wire
from pytest_model_gate.results import (
    Check,
    DatasetRecord,
    Finding,
    GateRecord,
    Interval,
    Line,
    RoleRecord,
    SmallSlice,
    Verdict,
)


@pytest.mark.parametrize("page", reference.PAGES)
def test_the_page_is_up_to_date(root, page):
    written = (root / "docs" / "reference" / page).read_text(encoding="utf-8")
    assert written == reference.PAGES[page](), "run: python tools/reference.py"


def full_record() -> GateRecord:
    """A record with something in every field."""
    line = Line(
        question="regression",
        metric="roc_auc",
        slice="region=north",
        n=412,
        reference=0.9,
        candidate=0.88,
        gain=-0.02,
        interval=Interval(low=-0.04, high=0.0, level=0.9, method="delong"),
        standard_error=0.01,
        required=-0.005,
        tolerance="0.005",
        verdict=Verdict.INCONCLUSIVE,
        reason="the data cannot tell",
        minimum_detectable=0.027,
        rows_needed=12_000,
    )
    return GateRecord(
        gate="credit",
        decision="approve or decline",
        verdict=Verdict.INCONCLUSIVE,
        reason="roc_auc on region=north: the data cannot tell",
        alpha=0.05,
        roles=(RoleRecord(role="candidate", source="a", resolved="a", digest="sha256:00", kind="skops"),),
        dataset=DatasetRecord(
            source="d",
            resolved="d",
            digest="sha256:00",
            pin="pinned",
            rows=413,
            rows_used=412,
            dropped=(("missing target", 1),),
            columns=(("x", "float64"),),
        ),
        checks=(
            Check(
                name="schema",
                verdict=Verdict.INVALID,
                summary="1 problem",
                findings=(Finding(subject="x", problem="too large", count=1, examples=("7",)),),
            ),
        ),
        lines=(line,),
        small_slices=(SmallSlice(slice="region=isle", n=3, min_rows=100),),
        notes=("a note",),
        versions=(("numpy", "2.0"),),
    )


@pytest.fixture
def validator(root):
    jsonschema = pytest.importorskip("jsonschema")
    schema = json.loads((root / "docs" / "reference" / "record.schema.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def test_what_is_written_fits_the_schema(validator):
    validator.validate(json.loads(wire.dumps(full_record())))


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("verdict",), "passed"),
        (("schema_version",), 2),
        (("lines", 0, "n"), "many"),
        (("lines", 0, "interval", "low"), None),
        (("lines", 0, "surprise"), 1),
    ],
)
def test_what_is_wrong_does_not_fit_the_schema(validator, path, value):
    plain = json.loads(wire.dumps(full_record()))
    inner = plain
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    assert not validator.is_valid(plain)
