"""Move an alias of MLflow's registry, so that two who do it at once cannot both succeed.

The registry has no compare-and-set. So who wants to move an alias first writes a claim, waits longer than
anybody takes between a last look and the move, and looks again: of two claims the later one is there, and who
finds another's gives up. A move is read back. What was there before is written down before it moves, and the
claim says what was wanted until all is done: a move that was cut off can be finished, and taken back.
"""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..errors import EvaluationError, UnavailableError
from ..mlflow_calls import connected, is_missing
from ..spec import SourceContext
from .entry import PREFIX

if TYPE_CHECKING:
    from mlflow import MlflowClient

#: Seconds between a claim and the move: much longer than two calls to a server that answers.
SETTLE = 2.0
#: Former versions that are kept for rollbacks.
_KEPT = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """An alias that is to point to another version.

    Parameters
    ----------
    model, alias : str
        Which.
    version : str
        Where it is to point.
    expected : str
        Where it has to point until then. Empty: nowhere, because there is no such alias yet.
    note : Mapping[str, str]
        Who, when and why; kept with the model.
    back : bool
        Whether this takes the last move back, so that a further one takes back the move before.
    """

    model: str
    alias: str
    version: str
    expected: str
    note: Mapping[str, str]
    back: bool = False


def where(client: MlflowClient, model: str, alias: str) -> str:
    """Return the version that an alias points to; empty where there is no such alias."""
    try:
        return str(client.get_model_version_by_alias(model, alias).version)
    except Exception as error:
        if not is_missing(error):
            raise
        return ""


def current(context: SourceContext, model: str, alias: str) -> str:
    """Return the version that an alias points to now; empty where there is no such alias."""
    with connected(context, f"models:/{model}@{alias}") as client:
        return where(client, model, alias)


def move(context: SourceContext, wanted: Move, *, settle: float = SETTLE) -> None:
    """Move an alias if it still points to where it is expected to.

    Raises
    ------
    EvaluationError
        If it points elsewhere meanwhile, or somebody else is moving it: nothing was moved.
    UnavailableError
        If the server does not answer, or did not keep what it was told.
    """
    name, alias = wanted.model, wanted.alias
    with connected(context, f"models:/{name}@{alias}") as client:
        claim = _claim(alias)
        note = {**wanted.note, "from": wanted.expected}
        mine = json.dumps({"id": uuid.uuid4().hex, "version": wanted.version, "note": note})
        client.set_registered_model_tag(name, claim, mine)
        time.sleep(settle)
        _expect(where(client, name, alias), wanted)
        tags = client.get_registered_model(name).tags
        if tags.get(claim) != mine:
            raise EvaluationError(
                f"Somebody else is moving the alias '{alias}' of '{name}' at this moment: it was not moved.",
                "See where it points then, and judge against that.",
            )
        known = history_of(tags, alias)
        if not wanted.back:
            if known and known[0].get("version") == wanted.expected:
                known = known[1:]  # a move like this one was cut off before, and had said so
            before = [{"version": wanted.expected, **wanted.note}, *known][:_KEPT]
            client.set_registered_model_tag(name, _history(alias), json.dumps(before))
        client.set_registered_model_alias(name, alias, wanted.version)
        found = where(client, name, alias)
        if found != wanted.version:
            raise UnavailableError(
                f"The alias '{alias}' of '{name}' was moved to version {wanted.version}, and points to "
                f"{'version ' + found if found else 'nothing'} now.",
                "Somebody moved it in the same moment: look at the registry.",
            )
        if wanted.back:
            client.set_registered_model_tag(name, _history(alias), json.dumps(_elsewhere(known, found)))
        _note(client, name, alias, wanted.version, note)


def finish(context: SourceContext, model: str, alias: str, version: str) -> None:
    """Write down what a move that was cut off behind the alias itself had still to say."""
    with connected(context, f"models:/{model}@{alias}") as client:
        tags = client.get_registered_model(model).tags
        try:
            wanted = json.loads(tags.get(_claim(alias), "{}"))
        except json.JSONDecodeError:
            return
        if isinstance(wanted, dict) and wanted.get("version") == version:
            _note(client, model, alias, version, wanted.get("note", {}))


def _note(client: MlflowClient, model: str, alias: str, version: str, note: Mapping[str, str]) -> None:
    client.set_model_version_tag(model, version, f"{PREFIX}.promoted.{alias}", json.dumps(dict(note)))
    client.delete_registered_model_tag(model, _claim(alias))


def _claim(alias: str) -> str:
    return f"{PREFIX}.claim.{alias}"


def _history(alias: str) -> str:
    return f"{PREFIX}.history.{alias}"


def _elsewhere(history: list[dict[str, str]], now: str) -> list[dict[str, str]]:
    """Return the history from the last place on that is not where the alias points: a move may be cut off."""
    start = next((place for place, entry in enumerate(history) if entry.get("version") != now), len(history))
    return history[start:]


def _expect(found: str, wanted: Move) -> None:
    if found == wanted.expected:
        return
    there = f"points to version {found} now" if found else "is not there any more"
    before = f"version {wanted.expected}" if wanted.expected else "no version"
    raise EvaluationError(
        f"The alias '{wanted.alias}' of '{wanted.model}' {there}, and the candidate was judged against "
        f"{before}: it was not moved.",
        "Run the gate again: it compares with what the alias means now.",
    )


def history_of(tags: Mapping[str, str], alias: str) -> list[dict[str, str]]:
    """Return where an alias pointed before, the last place first."""
    try:
        found = json.loads(tags.get(_history(alias), "[]"))
    except json.JSONDecodeError:
        return []
    return [entry for entry in found if isinstance(entry, dict)] if isinstance(found, list) else []


def previous(context: SourceContext, model: str, alias: str) -> tuple[str, str]:
    """Return where an alias points and where it pointed before it was moved there.

    Raises
    ------
    UnavailableError
        If nothing is known of a former version.
    """
    with connected(context, f"models:/{model}@{alias}") as client:
        now = where(client, model, alias)
        history = _elsewhere(history_of(client.get_registered_model(model).tags, alias), now)
    former = history[0].get("version", "") if history else ""
    if not former:
        raise UnavailableError(
            f"Nothing is known of a version that the alias '{alias}' of '{model}' pointed to before.",
            "Set it by hand in the registry: only moves by model-gate are remembered.",
        )
    return now, former
