"""Schemas outside of a gate: inferred from reference data, and held against any dataset."""

from __future__ import annotations

import tempfile
from functools import partial
from pathlib import Path

import pandas as pd

from ..data.pins import short_digest
from ..data.schemas.infer import infer
from ..data.schemas.infer_text import to_yaml
from ..data.schemas.schema import validate
from ..data.schemas.schema_file import load_rules
from ..errors import EvaluationError
from ..hooks import DatasetProtocol
from ..redact import redact as without_secrets
from ..results import Check
from ..spec import SourceContext
from ..wording import plural
from .registry import build_registry, open_dataset
from .rules import Own, check_rules


def infer_schema(source: str, *, root: str = ".", target: str = "") -> str:
    """Return the YAML of a schema that a dataset keeps.

    Parameters
    ----------
    source : str
        Dataset source of the reference data.
    root : str
        Directory that relative paths start from.
    target : str
        The column with the classes. Empty: none.

    Raises
    ------
    ModelGateError
        If the dataset cannot be opened, or has no such column.
    """
    context = SourceContext(root=root)
    dataset = open_dataset(build_registry(), source, context)
    frame = pd.concat(list(dataset.batches()), ignore_index=True)
    title = (
        f"{without_secrets(dataset.source)} ({plural(dataset.rows, 'row')}, {short_digest(dataset.digest)})"
    )
    text = to_yaml(infer(frame, target), title=title)
    _must_hold(text, frame, context)
    return text


def _must_hold(text: str, frame: pd.DataFrame, context: SourceContext) -> None:
    """Refuse a schema that its own data break: whatever went wrong, it must not be written."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "schema.yaml"
        file.write_text(text, encoding="utf-8", newline="\n")
        for check in _checks(str(file), frame, context):
            if check.fails:
                problem = next(finding.problem for finding in check.findings if finding.severity == "fail")
                raise EvaluationError(
                    f"The inferred schema does not hold for the data that it was inferred from: {problem}",
                    "Please report this as a bug, with the type of that column.",
                )


def check_schema(
    schema: str, source: str, *, root: str = ".", target: str = "", redact: bool = False
) -> tuple[Check, ...]:
    """Return whether a dataset keeps a schema, and the rules that stand in its file.

    Parameters
    ----------
    schema : str
        ``package.module:Name``, or a YAML or JSON file.
    source : str
        Dataset source.
    root : str
        Directory that relative paths start from.
    target : str
        The column with the classes, for rules about them. Empty: unknown.
    redact : bool
        Whether no finding shows a value.

    Raises
    ------
    ModelGateError
        If one of the two cannot be opened.
    """
    context = SourceContext(root=root)
    dataset = open_dataset(build_registry(), source, context)
    return _checks(schema, dataset, context, Own(target=target, redact=redact))


def _checks(
    schema: str, data: DatasetProtocol | pd.DataFrame, context: SourceContext, own: Own | None = None
) -> tuple[Check, ...]:
    rules = load_rules(schema, context.root)
    own = own or Own()
    kept = (validate(schema, data, context, redact=own.redact),)
    if not rules:
        return kept
    opening = partial(open_dataset, build_registry(), context=context)
    return (*kept, check_rules(rules, data, opening, own=own))
