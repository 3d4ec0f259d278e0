"""Model files on disk: read once, hashed, checked against the lock, then loaded by what the suffix says."""

from __future__ import annotations

from pathlib import Path, PurePath
from typing import TYPE_CHECKING

from ..spec import SourceContext
from .fixed_code import told_by_bytes
from .identity import Identity, read_once, sha256
from .known import known_or_loaded
from .trust import check_pin

if TYPE_CHECKING:
    from ..hooks import ModelProtocol

PICKLES = (".joblib", ".pkl", ".pickle")
SUFFIXES = (".skops", ".json", ".ubj", ".txt", ".cbm", ".onnx", ".pt2", ".pt", *PICKLES)
#: Formats that hold no code and name none.
_DATA = (".json", ".ubj", ".txt", ".cbm", ".onnx")


def is_model_file(source: str) -> bool:
    """Return whether a source is a local file with a suffix that is loaded here."""
    after_drive = source[2:] if source[1:2] == ":" else source  # C:\\models\\model.onnx is no URI
    return ":" not in after_drive and source.lower().endswith(SUFFIXES)


def open_file(source: str, context: SourceContext) -> ModelProtocol:
    """Load a model file.

    The suffix decides: ``.skops``, ``.json`` and ``.ubj`` (XGBoost), ``.txt`` (LightGBM), ``.cbm``
    (CatBoost), ``.onnx``, ``.pt2`` and ``.pt`` (PyTorch), ``.joblib``, ``.pkl`` and ``.pickle``. The digest
    is that of the bytes which are then loaded.
    """
    path = Path(context.root, source)
    content = read_once(path, source)
    identity = Identity(source=source, resolved=PurePath(source).as_posix(), digest=sha256(content))
    check_pin(identity, context)
    return load_bytes(identity, content, path.suffix.lower(), context)


def load_bytes(identity: Identity, content: bytes, suffix: str, context: SourceContext) -> ModelProtocol:
    """Load the bytes of a model file of a known suffix; where all that is asked of it is known, later."""

    def fixed() -> bool:
        if suffix in PICKLES:
            return told_by_bytes([content], context.root)
        if suffix == ".skops":
            from . import skops

            return not skops.why_untrusted(identity, content)
        return suffix in _DATA

    def load() -> ModelProtocol:
        return _load_now(identity, content, suffix, context)

    return known_or_loaded(identity, suffix, context, load, fixed=fixed)


def _load_now(identity: Identity, content: bytes, suffix: str, context: SourceContext) -> ModelProtocol:
    if suffix in (".json", ".ubj"):
        from . import xgboost

        return xgboost.load(identity, content)
    if suffix == ".txt":
        from . import lightgbm

        return lightgbm.load(identity, content)
    if suffix == ".cbm":
        from . import catboost

        return catboost.load(identity, content)
    if suffix == ".onnx":
        from . import onnx

        return onnx.load(identity, content)
    if suffix in (".pt2", ".pt"):
        from . import pytorch

        return pytorch.load(identity, content, context)
    from .estimator import from_object

    if suffix == ".skops":
        from . import skops

        return from_object(identity, skops.load(identity, content, context), kind="skops")
    from . import pickled

    found, said = pickled.load(identity, content, context)
    return from_object(identity, found, kind="pickle", said=said)
