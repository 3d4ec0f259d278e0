"""The commands of ``model-gate``, and what the help of the whole program teaches."""

from __future__ import annotations

import argparse
from importlib.metadata import version

from . import cache, compare, data, drift, ledger, log, pin, plan, promote, report, schema, score, verify

PROGRAM = "model-gate"

#: One module per command: it knows its arguments, its help and how it is carried out.
_MODULES = {
    "pin": pin,
    "data": data,
    "schema": schema,
    "verify": verify,
    "drift": drift,
    "report": report,
    "log": log,
    "promote": promote,
    "compare": compare,
    "score": score,
    "ledger": ledger,
    "plan": plan,
    "cache": cache,
}
COMMANDS = tuple(_MODULES)

OVERVIEW = """\
Make "this model is worse than production" a failing test.

The gates themselves run in pytest. This program does what goes around them:
it agrees to the data that they judge on, plans how many rows that takes, and
shows what they found.
"""

EXAMPLES = """\
examples:
  model-gate pin                       agree to the datasets as they are now
  model-gate pin --check               see whether they are still what was agreed
  model-gate pin --diff                see what changed in them
  model-gate data show holdout.parquet see one dataset as a gate does
  model-gate schema infer train.csv    describe a dataset by a schema
  model-gate plan                      see how many rows they take
  model-gate verify model.joblib       see what loading a model would run
  model-gate drift train.csv new.csv   see what has moved between two tables
  pytest --gate-report gates.json      judge, and write down what was found
  model-gate report gates.json         read it again
  model-gate promote gates.json --to champion   let an alias point to what passed
  model-gate score model.cbm holdout.parquet -o scores.parquet --key id
                                       score a model where its packages are
  model-gate ledger                    how often each holdout was used
  model-gate cache show                see which predictions are kept

`python -m pytest_model_gate` is the same program.
"""


def make_parser() -> argparse.ArgumentParser:
    """Return the parser of the whole program."""
    parser = argparse.ArgumentParser(
        prog=PROGRAM,
        description=OVERVIEW,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"{PROGRAM} {version('pytest-model-gate')}")
    commands = parser.add_subparsers(dest="command", title="commands", metavar="{" + ",".join(COMMANDS) + "}")
    for name, module in _MODULES.items():
        module.add_to(commands, name)
    return parser
