"""Which version of an artifact a source of W&B means: by its name, by the run that logged it, by a search."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..errors import ConfigurationError, UnavailableError
from ..wandb_calls import PREFIX, artifact, run, server
from ..wording import did_you_mean, shorten, some
from .best_run import chosen
from .wandb_search import PREFIX as SEARCH
from .wandb_search import best_run

if TYPE_CHECKING:
    from wandb import Api
    from wandb.apis.public import Run

_ARTIFACT = re.compile(
    r"(?P<path>[^/:#@]+/[^/:#@]+/[^/:#@]+):(?P<alias>[^/:#]+)(?:#(?P<file>[^#:]+(?:/[^#:]+)*))?"
)
_RUN = re.compile(
    r"(?P<project>[^/:#@]+/[^/:#@]+)/(?P<run>[^/:#@]+)(?:#(?P<name>[^/:#]+)(?::(?P<alias>[^/:#]+))?)?"
)


@dataclass(frozen=True, slots=True)
class Found:
    """One version of an artifact, and which of its files is meant."""

    path: str
    version: str
    resolved: str
    file: str = ""

    @property
    def example(self) -> str:
        """What another file of the same version is named after."""
        return f"{PREFIX}{self.path}:{self.version}#"


def find(api: Api, source: str, shown: str, kinds: tuple[str, ...]) -> Found:
    """Return the version that a source means.

    Parameters
    ----------
    api : wandb.Api
        Who is asked.
    source, shown : str
        As written, and as it is shown.
    kinds : tuple of str
        Types of artifacts that are meant where a run is named and no artifact.
    """
    if source.startswith(SEARCH):
        best, among, search = best_run(api, source)
        found = _of_run(best, search.project, search.model, "", shown, kinds, "&model=")
        return Found(
            found.path, found.version, f"{found.resolved} {chosen(among, f'summary.{search.metric}')}"
        )
    name = source.removeprefix(PREFIX)
    meant = _ARTIFACT.fullmatch(name)
    if meant:
        version = str(artifact(api, meant["path"], meant["alias"], shown).version)
        file = meant["file"] or ""
        resolved = f"{PREFIX}{meant['path']}:{version}{'#' + file if file else ''}"
        return Found(meant["path"], version, resolved, file)
    of_run = _RUN.fullmatch(name)
    if not of_run:
        raise ConfigurationError(
            f"'{shown}' names no model of W&B.",
            "Write wandb:entity/project/artifact:alias (or :v3), with #path behind it where it holds several "
            "files, or wandb:entity/project/run-id#artifact for what a run logged.",
        )
    logged_by = run(api, f"{of_run['project']}/{of_run['run']}", shown)
    return _of_run(
        logged_by, of_run["project"], of_run["name"] or "", of_run["alias"] or "", shown, kinds, "#"
    )


def _of_run(
    its: Run, project: str, name: str, alias: str, shown: str, kinds: tuple[str, ...], sign: str
) -> Found:
    """Return the newest version that a run logged: of the artifact with this name, or of its only one."""
    path = f"{project}/{its.id}"
    logged = [
        (str(one.name).partition(":")[0], str(one.type), str(one.version)) for one in its.logged_artifacts()
    ]
    known = {name: kind for name, kind, _ in logged}
    if name:
        # The client names the artifact of a table after the run and the table.
        names = [each for each in (name, f"run-{its.id}-{name}") if each in known][:1]
    else:
        names = [each for each, kind in known.items() if kind in kinds]
    if not names:
        what = f"no artifact '{name}'" if name else f"no artifact of type '{kinds[0]}'"
        raise UnavailableError(
            f"The run {path} logged {what}, so '{shown}' could not be opened.",
            did_you_mean(name or kinds[0], sorted(known), f"It logged: {some(sorted(known))}.")
            if known
            else f"It logged nothing to {server()}: call run.log_artifact(..., type='{kinds[0]}') in "
            "training.",
        )
    if len(names) > 1:
        raise ConfigurationError(
            f"The run {path} logged {len(names)} artifacts of type '{kinds[0]}': {some(sorted(names))}.",
            f"Say which one, for example {shown}{sign}{min(names)}.",
        )
    versions = [version for name, _, version in logged if name == names[0]]
    if alias and alias not in versions:
        raise UnavailableError(
            f"The run {path} logged no version {shorten(alias)} of '{names[0]}'.",
            f"It logged: {some(sorted(versions))}.",
        )
    version = alias or max(versions, key=lambda text: int(text[1:]))
    return Found(f"{project}/{names[0]}", version, f"{PREFIX}{path}#{names[0]}:{version}")
