"""What models said before about these very rows: looked up when a model is opened, kept when it is scored."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ..data.sources.cache import VARIABLE, folder
from ..hooks import DatasetProtocol, ModelProtocol, types_of
from ..models.identity import Identity
from ..models.known import KnownModel
from ..models.prediction_file import DamagedError, Kept, decode, encode
from ..models.prediction_store import Store, UnsafeError, most_bytes
from ..models.scoring import Scored
from ..models.surroundings import surroundings
from ..models.trust import check_pin, is_trusted_source
from ..results import Finding
from ..spec import Contracts, GateSpec, Role, SourceContext

#: Raised when all has to be scored again for another reason than those in the key.
_FORMAT = 1
FOLDER = "predictions"


def store_of_user() -> Store:
    """Return where predictions are kept on this machine."""
    return Store(folder() / FOLDER, most_bytes())


@dataclass(eq=False)
class Memory:
    """The kept predictions of one gate's rows.

    Parameters
    ----------
    spec : GateSpec
        The gate.
    dataset : DatasetProtocol
        Its rows.
    store : Store
        Where predictions are kept.
    """

    spec: GateSpec
    dataset: DatasetProtocol
    store: Store
    #: What went wrong with the folder, each said once.
    notes: dict[str, None] = field(default_factory=dict)
    _keys: dict[int, tuple[ModelProtocol, str]] = field(default_factory=dict)

    def recalling(self, context: SourceContext) -> Callable[..., ModelProtocol]:
        """Return what sources of models ask, see ``models.known.known_or_loaded``."""

        def recall(
            identity: Identity, how: str, load: Callable[[], ModelProtocol], fixed: Callable[[], bool]
        ) -> ModelProtocol:
            key = self.key(identity, how, context)
            kept = self._read(key) if key else None
            if kept is not None:
                return KnownModel(identity, kept, load)
            model = load()
            if key and model.kind != "predictions" and fixed():
                self._keys[id(model)] = (model, key)  # with the model, so that nothing else gets its id
            return model

        return recall

    def key(self, identity: Identity, how: str, context: SourceContext) -> str:
        """Return the digest of all that a prediction is a function of; empty: not all of it is known."""
        dataset, spec = self.dataset, self.spec
        if not identity.digest or not dataset.digest:
            return ""
        told = {
            "format": _FORMAT,
            "surroundings": surroundings(),
            "model": identity.digest,
            "how": how,
            # Whether it may be loaded at all.
            "trust": [check_pin(identity, context), is_trusted_source(identity.source, context)],
            "dataset": dataset.digest,
            "reader": f"{type(dataset).__module__}.{type(dataset).__qualname__}",
            "rows": dataset.rows,
            "columns": dataset.columns,
            # Which rows are judged, which columns no model is given, and what is asked of models.
            "selection": [spec.target, spec.drop_missing_target, spec.sample_weight, spec.key, spec.query],
            "task": spec.task,
        }
        return _digest(told)

    def promised(self, asked: Contracts, read: Sequence[str], rows: int) -> str:
        """Return which promises are asked of models, and of which rows: these are chosen by what is read."""
        promises = [asked.determinism, asked.row_independence, asked.signature, asked.tolerance]
        return _digest([*promises, self.spec.redact_examples, list(read), rows])

    def keep(self, model: ModelProtocol, scored: Scored, promised: str, findings: Sequence[Finding]) -> None:
        """Keep what a model said, after it kept its promises; nothing where its bytes don't tell it all."""
        if isinstance(model, KnownModel):
            if model.kept.promised == promised:
                return
            kept = model.kept
        else:
            _, key = self._keys.get(id(model), (model, ""))
            if not key:
                return
            kept = Kept(
                key=key,
                kind=model.kind,
                columns=model.columns,
                classes=model.classes,
                types=types_of(model),
                said=str(getattr(model, "said", "")),
                scored=scored,
            )
        if self.spec.redact_examples:
            findings = [replace(item, examples=()) for item in findings]
        kept = replace(kept, promised=promised, findings=tuple(findings))
        content = encode(kept)
        if content is None:
            return
        try:
            self.store.write(kept.key, content)
        except (OSError, UnsafeError) as error:
            reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
            self._note(
                f"predictions are not kept: {self.store.folder.as_posix()} cannot be used ({reason}); let "
                f"{VARIABLE} name a folder of your own, or leave the cache out"
            )

    def said(self, models: Mapping[Role, ModelProtocol]) -> tuple[str, ...]:
        """Return what a reader should know about what is kept, and what cannot be."""
        asked = self.spec.contracts or Contracts()
        found = list(self.notes)
        predicting = {role: model for role, model in models.items() if model.kind != "predictions"}
        if predicting and not (asked.determinism or asked.row_independence):
            found.append(
                "no predictions are kept: with contracts switched off, nobody knows whether a model would "
                "say the same again"
            )
            return tuple(found)
        found += [
            f"the {role} is scored every time: not only its bytes decide what it predicts"
            for role, model in predicting.items()
            if not isinstance(model, KnownModel) and id(model) not in self._keys
        ]
        return tuple(found)

    def _read(self, key: str) -> Kept | None:
        try:
            content = self.store.read(key)
            return None if content is None else decode(content, key)
        except DamagedError as error:
            self.store.forget(key)
            self._note(f"a file of kept predictions was not used, and the model scored again: {error}")
        except UnsafeError as error:
            self._note(
                f"no kept predictions are used from {self.store.folder.as_posix()}: {error}; give it to this "
                f"user alone (chmod -R go-w), or let {VARIABLE} name another folder"
            )
        return None

    def _note(self, text: str) -> None:
        self.notes[text] = None


def _digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()
