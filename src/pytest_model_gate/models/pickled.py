"""Pickles and joblib files: code that makes a model. Read only after ``trust`` has let their bytes pass."""

from __future__ import annotations

import io
from typing import Any

from ..errors import InvalidError
from ..importing import importable
from ..spec import SourceContext
from ..wording import one_line
from .identity import Identity
from .packages import missing_code
from .trust import require_trust

#: Why it needs trust.
PICKLE = "it is a pickle"


def load(identity: Identity, content: bytes, context: SourceContext) -> tuple[Any, str]:
    """Return the object in a ``.joblib``, ``.pkl`` or ``.pickle`` file that the user trusts.

    With it comes what a scanner has against it, see ``trust.require_trust``.

    joblib reads plain pickles and its own, compressed or not, so the suffix doesn't matter.
    """
    said = require_trust(identity, context, PICKLE, lambda: {identity.source: content})
    import joblib

    try:
        with importable(context.root):
            return joblib.load(io.BytesIO(content)), said
    except (AttributeError, ImportError) as error:
        raise missing_code(error, identity.source) from None
    except Exception as error:  # noqa: BLE001 - a broken pickle can raise anything
        raise InvalidError(
            f"'{identity.source}' cannot be read as a pickle: {one_line(error)}.",
            "Write it again with joblib.dump(model, 'model.joblib').",
        ) from None
