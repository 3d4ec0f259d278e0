"""``model-gate pin``: agree to the datasets that the gates judge on, and to models that run code."""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from ..errors import ConfigurationError, did_you_mean
from .adding import add_command

if TYPE_CHECKING:
    from ..data.pins import DatasetPin
    from ..results import Check
    from .adding import Subparsers
    from .collection import Collected

DESCRIPTION = """\
Pin the datasets of all gates that pytest collects here in model-gate.lock.

A gate refuses a dataset that is not pinned, or not the pinned one. This command
runs pytest's own collection, so it sees the same markers, files and conftest
extensions; no test is run. Commit model-gate.lock afterwards.
"""

EXAMPLES = """\
examples:
  model-gate pin                          all gates
  model-gate pin tests/gates -k credit    arguments for pytest select gates
  model-gate pin --check                  write nothing; exit 1 if a dataset changed
  model-gate pin --diff                   write nothing; show what changed since it was pinned
  model-gate pin --diff --against v1.csv  compare with rows that lie somewhere else
  model-gate pin --trust model.joblib     let this file be loaded, as it is now

exit status:
  0  every dataset is pinned
  1  a dataset could not be pinned, or --check or --diff found one that is not as pinned
  2  wrong arguments, or pytest could not collect the gates
"""


def add_to(commands: Subparsers, name: str) -> None:
    """Add the command, its arguments and its help."""
    parser = add_command(
        commands,
        name,
        run,
        takes_pytest_arguments=True,
        summary="agree to the datasets that the gates judge on",
        description=DESCRIPTION,
        examples=EXAMPLES,
        usage="model-gate pin [-h] [--check | --diff [--against SOURCE]] [--trust SOURCE] [PYTEST-ARGS ...]",
    )
    parser.add_argument("--check", action="store_true", help="only compare with the pins, write nothing")
    parser.add_argument(
        "--diff", action="store_true", help="show how the data differ from the pinned, write nothing"
    )
    parser.add_argument(
        "--against",
        metavar="SOURCE",
        help="with --diff: a dataset with the former rows (by default the pinned version or git's history)",
    )
    parser.add_argument(
        "--trust",
        action="append",
        default=[],
        metavar="SOURCE",
        help="pin a model that runs code when it is loaded, without running it now (repeatable)",
    )


def run(options: argparse.Namespace, pytest_arguments: Sequence[str]) -> int:
    """Pin, or compare with the pins, and say what happened to each."""
    from .collection import collect

    for flag in ("check", "diff"):
        if getattr(options, flag) and options.trust:
            raise ConfigurationError(
                f"--{flag} writes nothing, and --trust writes a pin.", "Give one of the two."
            )
    if options.against is not None and not options.diff:
        raise ConfigurationError("--against names what --diff compares with.", "Add --diff.")
    gates = collect([argument for argument in pytest_arguments if argument != "--"])
    if options.diff:
        return _diff(gates, options.against or "")
    for source in options.trust:
        print(_trust(gates, source))
    failed, changed = False, bool(options.trust)
    for same in _by_dataset(gates):
        lines, good, new = _pin(same, check_only=options.check)
        print("\n".join(lines))
        failed, changed = failed or not good, changed or new
    if changed:
        print("model-gate.lock was written: commit it.")
    return int(failed)


def _diff(gates: Sequence[Collected], against: str) -> int:
    """Print what changed in each dataset; 1 if anything did."""
    from ..errors import ModelGateError
    from ..gate.pin_diff import diff_pin
    from .data_text import diff_text

    groups = _by_dataset(gates)
    if against and len(groups) > 1:
        raise ConfigurationError(
            f"--against names the former rows of one dataset, and {len(groups)} were collected.",
            "Select a gate, for example with -k.",
        )
    different = False
    for group in groups:
        spec, registry = group[0]
        names = ", ".join(dict.fromkeys(gate.spec.name for gate in group))
        try:
            diff = diff_pin(spec, registry, against=against)
        except ModelGateError as error:
            from ..gate.inputs import failed_check

            print(_told(failed_check("dataset", spec.dataset, error)))
            different = True
            continue
        print(diff_text(diff, f"gate {names}"))
        different = different or not diff.same
    return int(different)


def _by_dataset(gates: Iterable[Collected]) -> list[list[Collected]]:
    """Group the gates that look at one dataset, in the order of collection."""
    groups: dict[tuple[str, str, int], list[Collected]] = {}
    for gate in gates:
        key = (gate.spec.root, gate.spec.dataset, id(gate.registry))
        groups.setdefault(key, []).append(gate)
    return list(groups.values())


def _pin(gates: Sequence[Collected], *, check_only: bool) -> tuple[list[str], bool, bool]:
    """Return what to print, whether it is as it should be, and whether the lock file changed.

    The other datasets that the gates name are pinned too: training data, references, what rules refer to.
    """
    from ..data.lock import lock_path, read_lock
    from ..gate.pinning import pin_beside, pin_gate

    spec, registry = gates[0]
    path = lock_path(spec.root)
    before = {pin.source: pin for pin in read_lock(path).datasets}
    names = ", ".join(dict.fromkeys(gate.spec.name for gate in gates))
    looked_at = [(spec.dataset, f"gate {names}", pin_gate(spec, registry, check_only=check_only))]
    for gate in gates:
        for source, check in pin_beside(gate.spec, registry, check_only=check_only):
            if source not in [known for known, _, _ in looked_at]:
                looked_at.append((source, f"{check.name} of gate {gate.spec.name}", check))
    after = {pin.source: pin for pin in read_lock(path).datasets}
    lines = [_line(what, where, check, before, after) for what, where, check in looked_at]
    good = not any(check.fails for _, _, check in looked_at)
    return lines, good, before != after


def _line(
    source: str, where: str, check: Check, before: Mapping[str, DatasetPin], after: Mapping[str, DatasetPin]
) -> str:
    from ..data.pins import short_digest
    from ..redact import redact
    from ..report.escape import plain

    if check.fails:
        return _told(check)
    what = plain(f"{redact(source)} ({where})")
    if check.summary == "not pinned":
        return f"not pinned {what}"
    # A source may be written in several ways, and stands in the lock as it calls itself.
    name = source if source in after else redact(source)
    pin, old = after.get(name), before.get(name)
    if pin is None or pin == old:
        return f"unchanged  {what}"
    now = f"{pin.rows:,} rows, {short_digest(pin.digest)}"
    if old is None:
        return f"pinned     {what}: {now}"
    return f"changed    {what}: {old.rows:,} rows, {short_digest(old.digest)} -> {now}"


def _told(check: Check) -> str:
    from ..report.escape import plain

    lines = [f"{check.verdict.value.upper():<10} {plain(check.name)}: {plain(check.summary)}"]
    for finding in check.findings:
        if finding.problem != check.summary:  # what could not be opened is said once
            lines.append(f"  {plain(finding.problem)}")
        lines += [f"  next: {plain(finding.remedy)}"] if finding.remedy else []
    return "\n".join(lines)


def _trust(gates: Sequence[Collected], source: str) -> str:
    """Pin the digest of a model that a gate names, and return what to print."""
    from ..gate.pinning import trust_model
    from ..models.baseline import BASELINES
    from ..redact import redact
    from ..report.escape import plain
    from ..spec import ROLES

    using = [gate for gate in gates if source in (gate.spec.source(role) for role in ROLES)]
    if not using:
        known = {gate.spec.source(role) for gate in gates for role in ROLES} - {"", "none", *BASELINES}
        again = shlex.quote(redact(source))
        raise ConfigurationError(
            f"--trust {redact(source)}: no collected gate has that model.",
            f"{did_you_mean(redact(source), map(redact, known))} A model that only an option of pytest names "
            f"is trusted with that option: model-gate pin --trust {again} --gate-candidate {again}",
        )
    digest = trust_model(*using[0], source)
    return f"trusted    {plain(redact(source))}: {digest}"
