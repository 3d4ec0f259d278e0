"""Findings without values of the data, where a gate has ``redact_examples``."""

from __future__ import annotations

import re
from dataclasses import replace

from ..results import Check, Finding

#: How sentences about a column of the wrong type end.
_EXAMPLES = re.compile(r"(?:, for example |(?<=got numbers) such as ).*", re.DOTALL)


def hidden(check: Check) -> Check:
    """Return a check that shows no value of the data; counts and row numbers remain.

    Examples
    --------
    >>> from pytest_model_gate.results import Verdict
    >>> found = Finding(subject="y", problem="'y' must hold numbers, got text, for example 'x'.")
    >>> check = Check(name="target", verdict=Verdict.INVALID, summary="", findings=(found,))
    >>> hidden(check).findings[0].problem
    "'y' must hold numbers, got text."
    """
    return replace(
        check,
        summary=_EXAMPLES.sub(".", check.summary),
        findings=tuple(_hidden(finding) for finding in check.findings),
    )


def _hidden(finding: Finding) -> Finding:
    return replace(finding, examples=(), problem=_EXAMPLES.sub(".", finding.problem))
