"""An inferred schema as YAML that a person reviews: one comment for whatever was guessed."""

from __future__ import annotations

from typing import Any

from ...wording import shorten
from .infer import Column, Inferred

_LONGEST_COMMENT = 160


def to_yaml(inferred: Inferred, *, title: str) -> str:
    """Return the file, the same for the same data.

    Parameters
    ----------
    inferred : Inferred
        What it holds.
    title : str
        What it was inferred from.
    """
    lines = [
        f"# Inferred from {shorten(title, 2 * _LONGEST_COMMENT)}.",
        "# These are facts about those rows. Review them: which of them are rules for the next rows?",
        "schema_type: dataframe",
        "columns:",
    ]
    for column in inferred.columns:
        lines += _column(column)
    lines.append("rules:")
    for rule in inferred.rules:
        lines += [f"  # {shorten(rule.note, _LONGEST_COMMENT)}", f"  - {_flow(dict(rule.keys))}"]
    return "\n".join(lines) + "\n"


def _column(column: Column) -> list[str]:
    lines = [f"  {_flow(column.name)}:"]
    lines += [f"    # {shorten(note, _LONGEST_COMMENT)}" for note in column.notes]
    lines += [f"    {key}: {_flow(value)}" for key, value in column.keys.items()]
    if column.checks:
        lines.append("    checks:")
        lines += [f"      {name}: {_flow(value)}" for name, value in column.checks.items()]
    return lines


def _flow(value: Any) -> str:
    """Return a value in one line of YAML, also where a text in it has several."""
    import yaml

    class OneLine(yaml.SafeDumper):
        """Escapes a line break in a text: the other styles would break the line that it is a part of."""

    def text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
        style = '"' if any(mark in value for mark in "\n\x85\u2028\u2029") else None
        return dumper.represent_scalar("tag:yaml.org,2002:str", value, style)

    OneLine.add_representer(str, text)
    written: str = yaml.dump(
        value,
        Dumper=OneLine,
        default_flow_style=True,
        allow_unicode=True,
        width=float("inf"),
        sort_keys=False,
    )
    return written.removesuffix("\n").removesuffix("\n...")
