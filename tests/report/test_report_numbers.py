"""Printed numbers never contradict the verdict that they stand beside."""

from __future__ import annotations

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from report_records import line

from pytest_model_gate.report.numbers import MOST, decimals, number

NUMBERS = st.floats(-1e6, 1e6, allow_nan=False)


@pytest.mark.parametrize(
    ("low", "high", "required", "places"),
    [
        (-0.0038, -0.0014, -0.005, 4),
        (-0.5, 0.5, -0.1, 4),
        (-0.00501, 0.01, -0.005, 5),
        (-0.0050001, 0.01, -0.005, 7),
        (0.0, 0.0, -0.01, 4),
        (0.0, 0.0, 0.0, 4),
        (-3.0, 4.0, -2.0, 2),
        (-300.0, 400.0, -150.0, 0),
        (-0.00000012, 0.00000031, -0.0000001, 8),
    ],
)
def test_as_many_decimals_as_it_takes(low, high, required, places):
    assert decimals(line(low=low, high=high, gain=(low + high) / 2, required=required)) == places


@pytest.mark.parametrize(
    ("gain", "places"),
    [(19177.3647, 0), (0.3162, 4), (2.5, 4), (12.3, 2), (250.0, 2), (3.6e-10, 12), (0.0, 4)],
)
def test_what_is_shown_and_not_judged_has_decimals_for_its_size(gain, places):
    assert decimals(line(interval=None, gain=gain)) == places


@given(NUMBERS, NUMBERS, NUMBERS)
@settings(deadline=None, derandomize=True, max_examples=300)
def test_what_differs_also_differs_in_print(a, b, required):
    low, high = sorted((a, b))
    places = decimals(line(low=low, high=high, gain=(low + high) / 2, required=required))
    assert 0 <= places <= MOST
    assume(places < MOST)
    for bound in (low, high):
        shown, needed = float(number(bound, places)), float(number(required, places))
        assert (bound > required) == (shown > needed)
        assert (bound < required) == (shown < needed)


@pytest.mark.parametrize(
    ("value", "places", "text"),
    [
        (0.92134, 4, "0.9213"),
        (-0.00001, 4, "0.0000"),
        (-0.0, 4, "0.0000"),
        (None, 4, "-"),
        (12345.678, 0, "12346"),
        (1e20, 4, "1e+20"),
        (1.2345e-13, MOST, "1.2345e-13"),
    ],
)
def test_a_number(value, places, text):
    assert number(value, places) == text
