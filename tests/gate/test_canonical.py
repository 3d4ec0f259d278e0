"""Numbers are rounded to twelve significant digits, of themselves or of what they are differences of."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_model_gate.gate.canonical import DIGITS, canonical

NUMBERS = st.floats(-1e12, 1e12) | st.floats(-1.0, 1.0) | st.floats(-1e-9, 1e-9)


@settings(deadline=None, derandomize=True, max_examples=500)
@given(NUMBERS, NUMBERS)
def test_what_is_rounded_has_no_further_digit(value, scale):
    found = canonical(value, scale)
    assert float(f"{found:.{DIGITS}g}") == found
    assert canonical(found, scale) == found
    assert abs(found - value) <= 0.51 * 10.0 ** (1 - DIGITS) * max(abs(value), abs(scale))
    assert canonical(-value, scale) == -found
