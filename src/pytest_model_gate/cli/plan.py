"""``model-gate plan``: how many rows a tolerance takes, and what the rows that there are can tell."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..errors import ConfigurationError
from .adding import add_command

if TYPE_CHECKING:
    from ..gate.planned import Planned, Wish
    from .adding import Subparsers

DESCRIPTION = """\
Say how many rows a tolerance takes, which regression some rows detect, and how
often a candidate passes that is in truth as good as production.

Without --report, --metric or --condition the gates that pytest collects here are
the pilot: their models are scored on the pinned data, and only how far the gains
are spread is printed, not how large they are: that is no use of the holdout.
"""

EXAMPLES = """\
examples:
  model-gate plan                          all gates of this project as pilots
  model-gate plan -k credit --gain 0.002   one gate, a candidate 0.002 better
  model-gate plan --save                   warn at collection from now on
  model-gate plan --report gates.json      from a report, without scoring
  model-gate plan --metric accuracy --margin 0.01 --discordance 0.05
  model-gate plan --metric roc_auc --margin 0.005 --rows 20000 \\
      --auc 0.85 --prevalence 0.1 --correlation 0.9
  model-gate plan --metric f1 --margin 0.01 --precision 0.8 --recall 0.7 \\
      --prevalence 0.1 --discordance 0.02
  model-gate plan --metric log_loss --margin 0.002 --sd 0.3 --deff 2.5
  model-gate plan --condition "n - o > 0.02 +/- 0.01" --reliability 0.9999 \\
      --adaptivity full --steps 32

exit status:
  0  the plan was printed, whatever it says
  1  a gate could not be planned
  2  wrong arguments, or pytest could not collect the gates
"""

#: Which options go with which source of a plan; ``""`` is the project itself.
GOES_WITH: dict[str, tuple[str, ...]] = {
    "save": ("", "report"),
    "margin": ("metric",),
    "rows": ("metric",),
    "discordance": ("metric", "condition"),
    "agreement": ("metric", "condition"),
    "auc": ("metric",),
    "correlation": ("metric",),
    "prevalence": ("metric",),
    "precision": ("metric",),
    "recall": ("metric",),
    "sd": ("metric",),
    "deff": ("metric",),
    "power": ("", "report", "metric"),
    "alpha": ("", "report", "metric"),
    "gain": ("", "report", "metric"),
    "reliability": ("condition",),
    "mode": ("condition",),
    "adaptivity": ("condition",),
    "steps": ("condition",),
}


def add_to(commands: Subparsers, name: str) -> None:
    """Add the command, its arguments and its help."""
    parser = add_command(
        commands,
        name,
        run,
        takes_pytest_arguments=True,
        summary="say how many rows a gate needs",
        description=DESCRIPTION,
        examples=EXAMPLES,
        usage="model-gate plan [-h] [--report FILE | --metric NAME | --condition TEXT] ... [PYTEST-ARGS ...]",
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    wish = parser.add_argument_group("what is asked for")
    wish.add_argument("--power", type=float, metavar="P", help="how often to pass (default: 0.8)")
    wish.add_argument("--alpha", type=float, metavar="A", help="one-sided level (default: the gate's, 0.05)")
    wish.add_argument(
        "--gain", type=float, metavar="G", help="how much better the candidate truly is (default: 0)"
    )
    pilot = parser.add_argument_group("from a pilot")
    pilot.add_argument("--report", metavar="FILE", help="what pytest --gate-report FILE.json wrote")
    pilot.add_argument(
        "--save",
        action="store_true",
        default=None,
        help="keep the spreads in model-gate-plan.toml, which warnings at collection are made of",
    )
    assumed = parser.add_argument_group("from assumptions about two equal models")
    assumed.add_argument("--metric", metavar="NAME", help="which metric")
    assumed.add_argument("--margin", type=float, metavar="M", help="tolerance, in the metric's own unit")
    assumed.add_argument("--rows", type=int, metavar="N", help="rows that there are")
    for option, letter, text in (
        ("--discordance", "D", "share of rows on which only one model is right, or on which the two differ"),
        ("--agreement", "D", "1 minus the discordance"),
        ("--auc", "A", "area of both models"),
        ("--correlation", "R", "of the two models' scores within a class"),
        ("--prevalence", "P", "share of positive rows"),
        ("--precision", "P", "of both models"),
        ("--recall", "R", "of both models"),
        ("--sd", "S", "standard deviation of the difference of the two losses of a row"),
        ("--deff", "F", "design effect of groups: so many rows say as much as one (default: 1)"),
    ):
        assumed.add_argument(option, type=float, metavar=letter, help=text)
    condition = parser.add_argument_group("for a condition over n, o and d, as in ease.ml/ci")
    condition.add_argument(
        "--condition", metavar="TEXT", help="n, o: right rows of new and old model; d: changed predictions"
    )
    condition.add_argument(
        "--reliability", type=float, metavar="R", help="no answer is wrong (default: 0.999)"
    )
    condition.add_argument("--mode", metavar="M", help="fp-free or fn-free (default: fp-free)")
    condition.add_argument(
        "--adaptivity", metavar="A", help="what developers see: none, full or firstChange (default: full)"
    )
    condition.add_argument("--steps", type=int, metavar="H", help="models judged on the rows (default: 1)")


def run(options: argparse.Namespace, pytest_arguments: Sequence[str]) -> int:
    """Plan, and print."""
    source = _source(options)
    rest = [argument for argument in pytest_arguments if argument != "--"]
    if source and rest:
        raise ConfigurationError(
            f"plan --{source} takes no argument {rest[0]!r}.", "See model-gate plan --help."
        )
    if options.agreement is not None:
        if options.discordance is not None:
            raise ConfigurationError("--discordance and --agreement say the same.", "Give one of the two.")
        options.discordance = 1 - options.agreement
    if source == "condition":
        from .plan_condition import run_condition

        return run_condition(options)
    wish = _wish(options)
    if source == "metric":
        return _assumed(options, wish)
    if source == "report":
        return _report(options, wish)
    return _project(options, rest, wish)


def _source(options: argparse.Namespace) -> str:
    """Return where the plan comes from, and refuse options that go with another source."""
    given = [name for name in ("report", "metric", "condition") if getattr(options, name) is not None]
    if len(given) > 1:
        raise ConfigurationError(
            f"--{given[0]} and --{given[1]} are two sources of one plan.", "Give one of them."
        )
    source = given[0] if given else ""
    for name, sources in GOES_WITH.items():
        if getattr(options, name) is not None and source not in sources:
            with_ = " or ".join(f"--{other}" if other else "the gates of a project" for other in sources)
            raise ConfigurationError(f"--{name} goes with {with_}.", "See model-gate plan --help.")
    return source


def _wish(options: argparse.Namespace) -> Wish:
    from ..gate.planned import Wish

    return Wish(
        power=0.8 if options.power is None else options.power,
        alpha=options.alpha,
        gain=0.0 if options.gain is None else options.gain,
    )


def _assumed(options: argparse.Namespace, wish: Wish) -> int:
    from dataclasses import fields

    from ..gate.assumed import Assumptions, least_rows, plan_assumed
    from .plan_text import as_json, assumed_lines

    given = {
        field.name: getattr(options, field.name)
        for field in fields(Assumptions)
        if getattr(options, field.name) is not None
    }
    assumptions = Assumptions(**given)
    planned = plan_assumed(options.metric, assumptions, margin=options.margin, rows=options.rows, wish=wish)
    if options.json:
        print(as_json([("", "", [planned])]))
        return 0
    least = (
        None
        if planned.margin is None
        else least_rows(options.metric, planned.margin, planned.alpha, assumptions)
    )
    print("\n".join(assumed_lines(planned, given, wish, least)))
    return 0


def _report(options: argparse.Namespace, wish: Wish) -> int:
    from pathlib import Path

    from ..gate.pilot import from_record
    from ..report.json import read

    plans: dict[tuple[str, str], list[Planned]] = {}
    rows: dict[str, int] = {}
    for record in read(Path(options.report)).records():
        found = plans.setdefault((record.gate, record.dataset.source if record.dataset else ""), [])
        found += [planned for planned in from_record(record, wish) if planned not in found]
        rows[record.gate] = record.dataset.rows_used if record.dataset else 0
    said = [(gate, dataset, found) for (gate, dataset), found in plans.items()]
    _print(options, said, wish)
    if options.save:
        _save(".", said, rows)
    return int(any(not found for _, _, found in said))


def _project(options: argparse.Namespace, rest: Sequence[str], wish: Wish) -> int:
    import sys

    from ..errors import ModelGateError
    from ..gate.candidates import evaluation_of
    from ..redact import redact
    from ..report.escape import plain
    from .collection import collect

    said: list[tuple[str, str, list[Planned]]] = []
    roots: dict[str, tuple[str, int]] = {}
    failed = False
    seen = set()
    for spec, registry in collect(rest, "plan"):
        key = (id(registry), spec.name, repr(spec))
        if key in seen:
            continue
        seen.add(key)
        try:
            evaluation = evaluation_of(spec, registry)
            found = evaluation.pilot(wish)
        except ModelGateError as error:
            failed = True
            told = plain(f"gate {spec.name} cannot be planned: {error}", keep_lines=True)
            print(f"model-gate: {told}", file=sys.stderr)
            continue
        said.append((spec.name, redact(spec.dataset), found))
        rows = max((planned.rows or 0 for planned in found), default=0)
        roots[spec.name] = (spec.root, rows)
    _print(options, said, wish)
    if options.save and roots:
        root = next(iter(roots.values()))[0]
        _save(root, said, {gate: rows for gate, (_, rows) in roots.items()})
    return int(failed)


def _print(options: argparse.Namespace, said: Sequence[tuple[str, str, list[Planned]]], wish: Wish) -> None:
    from .plan_text import as_json, gate_lines

    if options.json:
        print(as_json(said))
        return
    for number, (gate, dataset, found) in enumerate(said):
        print("\n".join([*([""] if number else []), *gate_lines(gate, dataset, found, wish)]))


def _save(root: str, said: Sequence[tuple[str, str, list[Planned]]], rows: dict[str, int]) -> None:
    import sys
    from pathlib import Path

    from ..data.spreads import NAME, Spread, save_spreads

    spreads = [
        Spread(
            gate=gate,
            metric=planned.metric,
            slice=planned.slice,
            rows=planned.rows,
            all_rows=max(rows[gate], planned.rows),
            spread=planned.standard_error * planned.rows**0.5,
            value=planned.reference,
        )
        for gate, _, found in said
        for planned in found
        if planned.standard_error is not None and planned.rows and planned.reference is not None
    ]
    save_spreads(Path(root) / NAME, spreads, gates=[gate for gate, _, _ in said])
    print(f"{NAME} was written: commit it.", file=sys.stderr)
