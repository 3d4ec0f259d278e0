"""``model-gate schema``: infer a schema from reference data, and hold a dataset against one."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import ConfigurationError
from .adding import add_actions, add_command

if TYPE_CHECKING:
    from .adding import Subparsers

DESCRIPTION = "Infer a schema from reference data, and check datasets against one, without any gate."

INFER = """\
Write a schema that describes a dataset: types, ranges, categories, missing
values, keys and, for a target, the balance of its classes. It is YAML in the
form of pandera, with a comment for whatever was guessed. Review it, commit it,
and name it in a gate: schema = "schema.yaml".

The data that it was inferred from keep it; that is checked before it is written.
"""

INFER_EXAMPLES = """\
examples:
  model-gate schema infer data/train.parquet                    print it
  model-gate schema infer data/train.parquet -o schema.yaml     write it
  model-gate schema infer data/train.csv --target default -o schema.yaml
  model-gate schema infer data/new.parquet -o schema.yaml --overwrite

exit status:
  0  the schema was printed or written
  2  the dataset cannot be opened, or the file exists
"""

CHECK = """\
Check whether a dataset keeps a schema: a pandera model or schema by its import
path, or a YAML or JSON file with its rules. Every broken rule is listed, with
how many rows break it, the first of them and a few values.
"""

CHECK_EXAMPLES = """\
examples:
  model-gate schema check schema.yaml data/holdout.parquet
  model-gate schema check credit.schemas:Holdout 'data/part-*.parquet'
  model-gate schema check schema.yaml data/holdout.csv --redact   show no values

exit status:
  0  it keeps the schema; warnings are printed
  1  it does not, or a check could not be carried out
  2  the schema or the dataset cannot be opened
"""


def add_to(commands: Subparsers, name: str) -> None:
    """Add the command, its arguments and its help."""
    actions = add_actions(
        commands,
        name,
        ("infer", "check"),
        summary="infer a schema, or check a dataset",
        description=DESCRIPTION,
    )
    made = add_command(
        actions,
        "infer",
        _infer,
        summary="write a schema that describes a dataset",
        description=INFER,
        examples=INFER_EXAMPLES,
    )
    made.add_argument("source", metavar="SOURCE", help="a dataset source, as a gate names it")
    made.add_argument("-o", "--output", metavar="FILE", help="a .yaml or .yml file; printed otherwise")
    made.add_argument("--target", metavar="COLUMN", help="the column with the classes")
    made.add_argument("--overwrite", action="store_true", help="replace the file where it exists")
    held = add_command(
        actions,
        "check",
        _check,
        summary="check whether a dataset keeps a schema",
        description=CHECK,
        examples=CHECK_EXAMPLES,
    )
    held.add_argument("schema", metavar="SCHEMA", help="package.module:Name, or a .yaml or .json file")
    held.add_argument("source", metavar="SOURCE", help="a dataset source, as a gate names it")
    held.add_argument("--target", metavar="COLUMN", help="the column with the classes, for rules about them")
    held.add_argument("--redact", action="store_true", help="show no values of the data")


def _infer(options: argparse.Namespace, _: Sequence[str]) -> int:
    """Infer a schema, and print or write it."""
    from ..gate.schemas import infer_schema

    path = None if options.output is None else Path(options.output)
    if path is not None:
        if path.suffix.lower() not in (".yaml", ".yml"):
            raise ConfigurationError(
                f"-o {options.output}: a schema is written as YAML.", "Name a file that ends in .yaml."
            )
        if path.exists() and not options.overwrite:
            raise ConfigurationError(
                f"{options.output} exists, and is not overwritten.",
                "Name another file, or add --overwrite.",
            )
    text = infer_schema(options.source, target=options.target or "")
    if path is None:
        print(text, end="")
        return 0
    try:
        path.write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        raise ConfigurationError(
            f"{options.output} cannot be written: {error.strerror or error}.", "Name another file."
        ) from None
    print(f"{options.output} was written: review it, and commit it.")
    return 0


def _check(options: argparse.Namespace, _: Sequence[str]) -> int:
    """Check a dataset, and say what it breaks."""
    from ..gate.hidden import hidden
    from ..gate.schemas import check_schema
    from ..report.escape import plain
    from ..report.terminal import found_by

    checks = check_schema(options.schema, options.source, target=options.target or "", redact=options.redact)
    for check in checks:
        if not check.fails:
            print(f"  {plain(check.name):<11} {plain(check.summary)}")
        for line in found_by(hidden(check) if options.redact else check):
            print(line.text)
    return int(any(check.fails for check in checks))
