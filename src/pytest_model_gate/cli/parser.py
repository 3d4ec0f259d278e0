"""The commands of ``model-gate``, their arguments and what their help teaches."""

from __future__ import annotations

import argparse
from importlib.metadata import version

from . import pin, report

PROGRAM = "model-gate"
COMMANDS = ("pin", "report")

OVERVIEW = """\
Make "this model is worse than production" a failing test.

The gates themselves run in pytest. This program does what goes around them:
it agrees to the data that they judge on, and shows what they found.
"""

EXAMPLES = """\
examples:
  model-gate pin                       agree to the datasets as they are now
  model-gate pin --check               see whether they are still what was agreed
  pytest --gate-report gates.json      judge, and write down what was found
  model-gate report gates.json         read it again

`python -m pytest_model_gate` is the same program.
"""

PIN = """\
Pin the datasets of all gates that pytest collects here in model-gate.lock.

A gate refuses a dataset that is not pinned, or not the pinned one. This command
runs pytest's own collection, so it sees the same markers, files and conftest
extensions; no test is run. Commit model-gate.lock afterwards.
"""

PIN_EXAMPLES = """\
examples:
  model-gate pin                          all gates
  model-gate pin tests/gates -k credit    arguments for pytest select gates
  model-gate pin --check                  write nothing; exit 1 if a dataset changed
  model-gate pin --trust model.joblib     let this file be loaded, as it is now

exit status:
  0  every dataset is pinned
  1  a dataset could not be pinned, or --check found one that is not as pinned
  2  wrong arguments, or pytest could not collect the gates
"""

REPORT = """\
Print a report that `pytest --gate-report FILE.json` wrote, as pytest prints it.
"""

REPORT_EXAMPLES = """\
examples:
  model-gate report gates.json
  model-gate report -v gates.json    with methods, errors, digests and versions
  model-gate report -q gates.json    one line for each gate

exit status:
  0  the report was printed, whatever its verdict
  2  it cannot be read
"""


def make_parser() -> argparse.ArgumentParser:
    """Return the parser of the whole program."""
    as_written = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(
        prog=PROGRAM,
        description=OVERVIEW,
        epilog=EXAMPLES,
        formatter_class=as_written,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"{PROGRAM} {version('pytest-model-gate')}")
    commands = parser.add_subparsers(dest="command", title="commands", metavar="{pin,report}")

    pinning = commands.add_parser(
        "pin",
        formatter_class=as_written,
        allow_abbrev=False,
        help="agree to the datasets that the gates judge on",
        description=PIN,
        epilog=PIN_EXAMPLES,
        usage=f"{PROGRAM} pin [-h] [--check] [--trust SOURCE] [PYTEST-ARGS ...]",
    )
    pinning.add_argument("--check", action="store_true", help="only compare with the pins, write nothing")
    pinning.add_argument(
        "--trust",
        action="append",
        default=[],
        metavar="SOURCE",
        help="pin a model that runs code when it is loaded; it is loaded once, as you trust it (repeatable)",
    )
    pinning.set_defaults(run=pin.run, takes_pytest_arguments=True)

    reporting = commands.add_parser(
        "report",
        formatter_class=as_written,
        allow_abbrev=False,
        help="print a report that was written as JSON",
        description=REPORT,
        epilog=REPORT_EXAMPLES,
    )
    reporting.add_argument("file", metavar="FILE.json", help="what pytest --gate-report wrote")
    reporting.add_argument("-q", "--quiet", action="store_true", help="one line for each gate")
    reporting.add_argument("-v", "--verbose", action="store_true", help="everything that the record holds")
    reporting.set_defaults(run=report.run, takes_pytest_arguments=False)
    return parser
