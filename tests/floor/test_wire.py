"""Records cross a process border as one JSON string, and come back as they were."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_model_gate import results, wire
from pytest_model_gate.results import GateRecord, Verdict

record = GateRecord(gate="credit", decision="", verdict=Verdict.PASS, reason="1 line judged", alpha=0.05)


@st.composite
def finite_records(draw):
    numbers = st.floats(allow_nan=False, allow_infinity=False)
    interval = st.builds(results.Interval, low=numbers, high=numbers, level=numbers, method=st.text())
    line = st.builds(
        results.Line,
        reference=st.none() | numbers,
        candidate=st.none() | numbers,
        gain=st.none() | numbers,
        interval=st.none() | interval,
        standard_error=st.none() | numbers,
        required=numbers,
        minimum_detectable=st.none() | numbers,
    )
    finding = st.builds(results.Finding, examples=st.lists(st.text(), max_size=3).map(tuple))
    check = st.builds(results.Check, findings=st.lists(finding, max_size=2).map(tuple))
    dataset = st.builds(
        results.DatasetRecord, dropped=st.lists(st.tuples(st.text(), st.integers()), max_size=2).map(tuple)
    )
    return draw(
        st.builds(
            GateRecord,
            alpha=numbers,
            roles=st.lists(st.builds(results.RoleRecord), max_size=3).map(tuple),
            dataset=st.none() | dataset,
            checks=st.lists(check, max_size=2).map(tuple),
            lines=st.lists(line, max_size=2).map(tuple),
            small_slices=st.lists(st.builds(results.SmallSlice), max_size=2).map(tuple),
            notes=st.lists(st.text(), max_size=2).map(tuple),
            schema_version=st.just(results.SCHEMA_VERSION),
        )
    )


@given(finite_records())
@settings(derandomize=True, deadline=None, max_examples=50)
def test_a_record_comes_back_as_it_went(found):
    assert wire.loads(wire.dumps(found)) == found


def test_nan_does_not_travel():
    with pytest.raises(ValueError, match="not JSON compliant"):
        wire.dumps(replace(record, alpha=math.nan))


@pytest.mark.parametrize("value", [np.float64(0.05), np.float32(0.05), {1, 2}, b"x"])
def test_only_plain_scalars_travel(value):
    with pytest.raises(TypeError, match="a record holds plain scalars only"):
        wire.dumps(replace(record, alpha=value))


def test_another_schema_version_is_refused():
    plain = json.loads(wire.dumps(record))
    plain["schema_version"] = 99
    with pytest.raises(ValueError, match="schema version 1 was needed, got 99"):
        wire.loads(json.dumps(plain))


@pytest.mark.parametrize("text", ["[]", "3", '{"schema_version": 1}', '{"schema_version": 1, "gates": []}'])
def test_what_is_no_record_is_refused(text):
    with pytest.raises(ValueError, match="gate record"):
        wire.loads(text)
