"""The report of each gate as one plain text: what a tracker keeps beside the numbers."""

from __future__ import annotations

from collections.abc import Sequence

from ..results import GateRecord
from .combine import combine
from .terminal import block


def by_gate(records: Sequence[GateRecord]) -> dict[str, str]:
    """Return gate -> everything that ``pytest -v`` prints of it."""
    found: dict[str, list[str]] = {}
    for record, _ in combine(records):
        found.setdefault(record.gate, []).extend(line.text for line in block(record, verbosity=1))
    return {gate: "\n".join(lines) + "\n" for gate, lines in found.items()}
