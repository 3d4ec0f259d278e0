"""``model-gate promote``: let an alias of the registry point to a candidate that passed."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import InvalidError
from .adding import add_command

if TYPE_CHECKING:
    from ..gate.promotion import Promotion
    from ..spec import GateSpec
    from .adding import Subparsers
    from .collection import Collected

DESCRIPTION = """\
Let an alias of MLflow's registry point to the candidate that a report lets pass.

Nothing moves unless every gate of this model was judged and passed, on the data
that model-gate.lock pins now, by the rules that the gates have now, against the
version that the alias still points to, and the version's files are those that
were judged.
"""

EXAMPLES = """\
examples:
  pytest --gate-report gates.json                  judge
  model-gate promote gates.json --to champion      move the alias
  model-gate promote gates.json --to champion --dry-run
  model-gate promote --back credit --to champion   take the last promotion back

exit status:
  0  the alias points to the candidate (or would, with --dry-run)
  1  something speaks against it; nothing was moved
  2  wrong arguments, or the registry or the gates could not be read
"""


def add_to(commands: Subparsers, name: str) -> None:
    """Add the command, its arguments and its help."""
    parser = add_command(
        commands,
        name,
        run,
        takes_pytest_arguments=True,
        summary="let an alias point to a candidate that passed",
        description=DESCRIPTION,
        examples=EXAMPLES,
        usage="model-gate promote [-h] (REPORT | --back MODEL) --to ALIAS [--reason TEXT] [--dry-run] "
        "[PYTEST-ARGS ...]",
    )
    parser.add_argument("report", nargs="?", metavar="REPORT", help="what pytest --gate-report wrote (.json)")
    parser.add_argument("--to", required=True, metavar="ALIAS", help="the alias that moves: champion")
    parser.add_argument(
        "--back", metavar="MODEL", help="take the last promotion of this registered model back"
    )
    parser.add_argument("--reason", default="", metavar="TEXT", help="why; kept with the version")
    parser.add_argument("--dry-run", action="store_true", help="check everything and move nothing")
    parser.add_argument(
        "--tracking-uri",
        default="",
        metavar="URI",
        help="with --back: where the registry is (default: MLFLOW_TRACKING_URI)",
    )


def run(options: argparse.Namespace, pytest_arguments: Sequence[str]) -> int:
    """Move the alias, or say why not."""
    from ..errors import ConfigurationError, EvaluationError, UnavailableError
    from ..gate.promoting import promote, roll_back
    from ..report.escape import plain

    if bool(options.report) == bool(options.back):
        raise ConfigurationError(
            "promote takes a report, or --back and the name of a model.",
            "Run: model-gate promote gates.json --to champion",
        )
    try:
        if options.back:
            said = roll_back(
                options.back,
                options.to,
                reason=options.reason,
                dry_run=options.dry_run,
                tracking_uri=options.tracking_uri,
            )
        else:
            wanted = _wanted(options.report, options.to, pytest_arguments)
            for line in wanted.waived:
                print(f"waived     {plain(line)}")
            said = promote(wanted, reason=options.reason, dry_run=options.dry_run)
    except (InvalidError, EvaluationError) as error:
        if isinstance(error, UnavailableError):
            raise
        print(f"REFUSED    {plain(error.what)}\n  next: {plain(error.remedy)}")
        return 1
    print(plain(said))
    return 0


def _wanted(report: str, alias: str, pytest_arguments: Sequence[str]) -> Promotion:
    """Return what a report lets move, after the project as it is now had its say."""
    from ..gate.promoting import registered_in
    from ..gate.promotion import promotion
    from ..report import json as json_report
    from .collection import collect

    run = json_report.read(Path(report))
    wanted = promotion(
        tuple(run.records()), alias, objections=tuple(run.objections()), registered=registered_in(".")
    )
    gates = collect([argument for argument in pytest_arguments if argument != "--"], "promote")
    _same_policy(wanted, gates)
    return wanted


def _same_policy(wanted: Promotion, gates: Sequence[Collected]) -> None:
    """Refuse what was judged by other rules or on other data than the project agrees to now."""
    from ..data.lock import lock_path, read_lock
    from ..gate.fingerprint import policy_digest

    judged = dict(wanted.policies)
    for gate in gates:
        name = gate.spec.name
        if name not in judged:
            if _judges(gate.spec, wanted):
                raise InvalidError(
                    f"Nothing is promoted: gate {name} judges {wanted.model} too, and is not in the report.",
                    "Run all gates of the model into one report.",
                )
            continue
        if policy_digest(gate.spec) != judged[name]:
            raise InvalidError(
                f"Nothing is promoted: gate {name} asks something else now than when it was judged.",
                "Run the gates again.",
            )
        lock = read_lock(lock_path(gate.spec.root))
        for source, digest in wanted.datasets:
            pinned = lock.dataset(source)
            if pinned is None or pinned.digest != digest:
                raise InvalidError(
                    f"Nothing is promoted: {source} was judged with another content than is pinned now.",
                    "Run the gates again.",
                )
    missing = [name for name in judged if name not in {gate.spec.name for gate in gates}]
    if missing:
        raise InvalidError(
            f"Nothing is promoted: gate {missing[0]} of the report is not in the project.",
            "Run the command where the gates are, or run the gates again.",
        )


def _judges(spec: GateSpec, wanted: Promotion) -> bool:
    """Tell whether a gate has the model among its candidates, or compares with a version of it."""
    named = (spec.candidate, *spec.candidates, spec.production)
    versions = (f"models:/{wanted.model}@", f"models:/{wanted.model}/")
    return any(source.startswith(versions) or (source and source == wanted.logged) for source in named)
