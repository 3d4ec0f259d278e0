"""``model-gate verify``: look at a model without loading it, and say whether a gate would."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .adding import add_command

if TYPE_CHECKING:
    from ..config.files import Project
    from ..models.examine import Examined
    from ..spec import SourceContext
    from .adding import Subparsers

DESCRIPTION = """\
Look at a model without loading it: which exact version a source means, its
digest, what it is written as, whether loading it would run code, and why it is
trusted or isn't. Where picklescan is installed, it says what a pickle would
call. Nothing of the model runs.

What is trusted stands in model-gate.lock and in the project's configuration
(trusted_sources of a gate that names the model, or of [tool.model_gate]).
"""

EXAMPLES = """\
examples:
  model-gate verify models:/credit@challenger
  model-gate verify wandb:team/credit/scorer:champion
  model-gate verify models/credit.joblib
  model-gate verify models/credit.skops --json

exit status:
  0  a gate would load it
  1  a gate would refuse it, or the scanner has something against it
  2  it cannot be found or read, or only loading would tell what it is
"""


def add_to(commands: Subparsers, name: str) -> None:
    """Add the command, its arguments and its help."""
    parser = add_command(
        commands,
        name,
        run,
        summary="look at a model without loading it",
        description=DESCRIPTION,
        examples=EXAMPLES,
    )
    parser.add_argument("source", metavar="SOURCE", help="a model source, as a gate names it")
    parser.add_argument("--json", action="store_true", help="print it for programs")
    parser.add_argument(
        "--tracking-uri",
        default="",
        metavar="URI",
        help="where models:/ and runs:/ live (default: as the project says, or MLFLOW_TRACKING_URI)",
    )


def run(options: argparse.Namespace, _: Sequence[str]) -> int:
    """Look at one model, and say what is known."""
    from ..config.files import read_project
    from ..errors import ConfigurationError
    from ..models.examine import examine
    from ..redact import redact

    project = read_project(Path.cwd())
    found = examine(options.source, _context(project, options.source, options.tracking_uri))
    if found is None:
        raise ConfigurationError(
            f"Nothing is known of {redact(options.source)!r} before it is loaded.",
            "A file or folder, models:/name@alias, runs:/id/path, wandb:, predictions:, python:, exec: "
            "and http:// can be looked at.",
        )
    print(_json(found) if options.json else "\n".join(_text(found)))
    return int(not found.good)


def _context(project: Project, source: str, tracking_uri: str) -> SourceContext:
    """Return what a gate of this project that names the model would know."""
    from ..data.lock import lock_path, read_lock
    from ..spec import ROLES, SourceContext

    gates = [{**project.defaults, **gate} for gate in project.gates.values()]
    named = next((gate for gate in gates if source in [gate.get(role) for role in ROLES]), project.defaults)
    return SourceContext(
        root=str(project.root),
        tracking_uri=tracking_uri or str(named.get("tracking_uri") or ""),
        trusted_sources=tuple(named.get("trusted_sources") or ()),
        pinned_models=read_lock(lock_path(project.root)).model_digests(),
    )


def _rows(found: Examined) -> Iterator[tuple[str, str]]:
    from ..redact import redact

    yield "source", redact(found.source)
    if found.resolved != found.source:
        yield "version", redact(found.resolved)
    yield "digest", found.digest or found.no_digest
    yield "format", found.format
    if found.files:
        files = f" in {len(found.files):,} files" if len(found.files) > 1 else ""
        yield "size", f"{found.size:,} bytes{files}"
    yield "runs code", f"yes: {found.runs_code}" if found.runs_code else "no"
    if found.trust:
        yield "trust", found.trust
    if found.pickles:
        yield (
            "scanner",
            "not asked: pip install 'pytest-model-gate[picklescan]'"
            if found.scan is None
            else str(found.scan),
        )


def _text(found: Examined) -> Iterator[str]:
    from ..report.escape import plain

    for name, text in _rows(found):
        yield f"{name:<10} {plain(text)}"
    if found.refused:
        yield f"REFUSED    {plain(found.refused)}"
        yield f"  next: {plain(found.remedy)}"
    elif not found.good:
        yield "SUSPICIOUS a gate would load it, and the scanner has something against it"
        yield "  next: Find out who wrote it; take its pin out of model-gate.lock if nobody answers for it."


def _json(found: Examined) -> str:
    import json

    from ..redact import redact

    scan: dict[str, Any] | None = None
    if found.scan is not None:
        scan = {
            "scanner": found.scan.scanner,
            "clean": found.scan.clean,
            "dangerous": list(found.scan.dangerous),
            "unread": found.scan.unread,
        }
    return json.dumps(
        {
            "source": redact(found.source),
            "resolved": redact(found.resolved),
            "digest": found.digest,
            "format": found.format,
            "size": found.size,
            "files": [{"path": path, "size": size} for path, size in found.files],
            "runs_code": bool(found.runs_code),
            "why_code": found.runs_code,
            "trusted": not found.refused,
            "why": found.refused or found.trust,
            "remedy": found.remedy,
            "scan": scan,
        },
        indent=2,
    )
