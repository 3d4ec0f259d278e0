"""Look at a model without loading it: which bytes it is, what loading would run, and who said that it may."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePath

from ..errors import InvalidError, UntrustedError
from ..redact import redact
from ..spec import SourceContext
from .endpoints import is_endpoint
from .identity import Identity, read_once, sha256
from .scan import Scan, scan
from .trust import check_pin, require_trust

#: What a suffix stands for, as a reader knows it.
FORMATS = {
    ".json": "XGBoost, JSON",
    ".ubj": "XGBoost, binary",
    ".txt": "LightGBM, text",
    ".cbm": "CatBoost",
    ".onnx": "ONNX",
    ".pt2": "PyTorch, exported program",
    ".pt": "PyTorch, TorchScript",
    ".skops": "skops",
    ".joblib": "joblib (a pickle)",
    ".pkl": "pickle",
    ".pickle": "pickle",
}
NO_DIGEST = "none before it is made"
NO_TRUST_NEEDED = "needs none: it is data, and a reader of data reads it"


@dataclass(frozen=True, slots=True, kw_only=True)
class Examined:
    """What is known of a model before it is loaded.

    Parameters
    ----------
    source, resolved, digest : str
        As written, the exact version that it means now, and ``"sha256:<hex>"`` of its content; empty where
        only making the model would tell.
    format : str
        What it is written as.
    files : tuple of (str, int)
        Its files and their bytes.
    runs_code : str
        Why loading it runs code. Empty: it doesn't.
    trust : str
        Why it would be loaded. Empty: it would not.
    refused, remedy : str
        Why it would not, and what to do about it.
    scan : Scan or None
        What the scanner says about its pickles. ``None``: there are none, or there is no scanner.
    pickles : int
        How many there are.
    no_digest : str
        Why there is no digest, where there is none.
    """

    source: str
    resolved: str
    digest: str
    format: str
    files: tuple[tuple[str, int], ...] = ()
    runs_code: str = ""
    trust: str = ""
    refused: str = ""
    remedy: str = ""
    scan: Scan | None = None
    pickles: int = 0
    no_digest: str = NO_DIGEST

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(size for _, size in self.files)

    @property
    def good(self) -> bool:
        """Whether it would be loaded, and the scanner has nothing against it."""
        return not self.refused and (self.scan is None or self.scan.clean)


def examine(source: str, context: SourceContext) -> Examined | None:
    """Look at a model without loading it.

    Parameters
    ----------
    source : str
        As a gate names it.
    context : SourceContext
        Holds what is pinned and who is trusted.

    Returns
    -------
    Examined or None
        ``None``: only loading would tell what is behind such a source.

    Raises
    ------
    ModelGateError
        If it cannot be found or read, or is broken.
    """
    from .files import is_model_file
    from .keras import refuse

    if source.startswith(("models:", "runs:", "mlflow-search:")):
        return _of_mlflow(source, context)
    if source.startswith(("wandb:", "wandb-search:", "wandb-offline:")):
        return _of_wandb(source, context)
    if source.startswith("predictions:"):
        return _of_predictions(source, context)
    if source.startswith(("exec:", "exec+csv:")):
        return _of_command(source, context)
    if is_endpoint(source):
        return _of_endpoint(source, context)
    if source.startswith("python:"):
        return Examined(
            source=source,
            resolved=source,
            digest="",
            format="Python factory",
            runs_code="it is code of this project",
            trust="needs none: it is code of this project, as the tests themselves",
        )
    if not is_model_file(source):
        from .mlmodel_folder import copied, is_model_folder

        if not is_model_folder(source, context):
            refuse(source)
            return None
        with copied(source, context) as (identity, folder):
            return _of_folder(identity, folder, context)
    path = PurePath(source).as_posix()
    content = read_once(Path(context.root, source), source)
    return _of_file(Identity(source=source, resolved=path, digest=sha256(content)), path, content, context)


def _of_predictions(source: str, context: SourceContext) -> Examined:
    from .predictions import parse, read

    path = parse(source)[0]
    address, name, content = read(path, context)
    resolved = source if address == PurePath(path).as_posix() else f"predictions:{address}"
    identity = Identity(source=source, resolved=resolved, digest=sha256(content))
    shown = path if resolved == source else name
    return _judged(identity, context, "table of predictions", ((shown, len(content)),))


def _of_file(identity: Identity, path: str, content: bytes, context: SourceContext) -> Examined:
    suffix = Path(path).suffix.lower()
    why, pickles = "", {}
    if suffix == ".skops":
        from .skops import why_untrusted

        why = why_untrusted(identity, content)
    elif suffix in (".joblib", ".pkl", ".pickle"):
        from .pickled import PICKLE

        why, pickles = PICKLE, {identity.source: content}
    elif suffix in (".pt2", ".pt"):
        from .pytorch import PROGRAM

        why = PROGRAM
    return _judged(identity, context, FORMATS[suffix], ((path, len(content)),), why=why, pickles=pickles)


def _of_wandb(source: str, context: SourceContext) -> Examined:
    from .wandb import downloaded

    with downloaded(source, context) as (identity, path, content):
        if content is not None:
            return _of_file(identity, path.name, content, context)
        return _of_folder(identity, path, context)


def _of_command(source: str, context: SourceContext) -> Examined:
    from .command import open_command

    try:
        digest = open_command(source, context).digest  # runs nothing before it is given rows
    except UntrustedError as error:
        digest = error.digest
    shown = redact(source)
    identity = Identity(source=shown, resolved=shown, digest=digest)
    return _judged(identity, context, "command", why="it is a command")


def _of_endpoint(source: str, context: SourceContext) -> Examined:
    from .endpoints.model import open_endpoint, server_name

    model = open_endpoint(source, context)
    if model.address.protocol == "v2":
        platform = "" if model.seen.stated is None else model.seen.stated.platform
        of = ", ".join(text for text in (server_name(model.client), platform) if text)
        written = "endpoint, Open Inference Protocol" + (f" ({of})" if of else "")
    else:
        written = f"endpoint, /invocations ({model.seen.server or 'its server does not say what it is'})"
    return Examined(
        source=model.source,
        resolved=model.resolved,
        digest="",
        format=written,
        trust="needs none: it runs elsewhere; a gate sends it rows",
        no_digest="none: it is served elsewhere; a gate records the digest of its answers",
    )


def _of_mlflow(source: str, context: SourceContext) -> Examined:
    from .mlflow import downloaded

    with downloaded(source, context) as (identity, folder):
        return _of_folder(identity, folder, context)


def _of_folder(identity: Identity, folder: Path, context: SourceContext) -> Examined:
    """Look at a folder that MLflow wrote."""
    from .mlmodel import chosen, data_of, describe, pickles_in
    from .skops import why_untrusted

    flavors = describe(identity, folder)["flavors"]
    flavour = chosen(identity, flavors)
    why = flavour.why
    if flavour.form == "skops":
        why = why_untrusted(identity, data_of(identity, folder, flavors[flavour.name], flavour.key))
    files = tuple(
        (file.relative_to(folder).as_posix(), file.stat().st_size)
        for file in sorted(folder.rglob("*"))
        if file.is_file()
    )
    written = f"MLflow, {flavour.name}" + (", skops" if flavour.form == "skops" else "")
    pickles = pickles_in(folder) if flavour.form == "code" else {}
    return _judged(identity, context, written, files, why=why, pickles=pickles, by_value=True)


def _judged(
    identity: Identity,
    context: SourceContext,
    written: str,
    files: tuple[tuple[str, int], ...] = (),
    *,
    why: str = "",
    pickles: Mapping[str, bytes] | None = None,
    by_value: bool = False,
) -> Examined:
    """Ask the rule of trust, as loading does."""
    trust, refused, remedy = "", "", ""
    try:
        pinned = check_pin(identity, context)
        if why:
            require_trust(identity, context, why, (lambda: pickles) if pickles else None, by_value=by_value)
        trust = (
            "model-gate.lock pins these very bytes"
            if pinned
            else "its source matches trusted_sources"
            if why
            else NO_TRUST_NEEDED
        )
    except InvalidError as error:
        refused, remedy = error.what, error.remedy
    return Examined(
        source=identity.source,
        resolved=identity.resolved,
        digest=identity.digest,
        format=written,
        files=files,
        runs_code=why,
        trust=trust,
        refused=refused,
        remedy=remedy,
        scan=scan(pickles, by_value=by_value) if pickles else None,
        pickles=len(pickles or {}),
    )
