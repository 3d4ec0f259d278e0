"""PyTorch's own files: programs of ``torch.export`` (``.pt2``) and TorchScript (``.pt``), read when trusted.

Neither names columns or classes. A file beside the program in the archive can: ``model-gate.json``, which
both ``torch.export.save(..., extra_files=...)`` and ``torch.jit.save(..., _extra_files=...)`` write.
"""

from __future__ import annotations

import io
import json
import warnings
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ..errors import EvaluationError, InvalidError
from ..spec import SourceContext
from ..wording import first_line, plural, shorten, some_values
from .columns import plain
from .described import Described
from .identity import Identity
from .packages import needed
from .trust import require_trust
from .untyped import as_wanted

if TYPE_CHECKING:
    import pandas as pd

#: Why it needs trust: PyTorch itself says that its programs are code, and its archives may hold pickles.
PROGRAM = "it is a program of PyTorch"
#: The file in the archive that says what the program does not.
SAID = "model-gate.json"
OUTPUTS = ("probability", "logit", "value")
_KEYS = ("columns", "classes", "output")
_FOREVER = 2**62


@dataclass(frozen=True, eq=False, kw_only=True)
class TorchModel(Described):
    """A program that takes one tensor, a row for each row of the data, and returns one."""

    classes: tuple[Any, ...] | None
    program: Callable[[Any], Any]
    #: What its numbers are, one of ``OUTPUTS``. Empty: their form decides.
    output: str
    dtype: Any
    #: How many columns it takes, where the archive tells.
    width: int | None
    #: The smallest and the largest number of rows that it was exported for.
    least: int
    most: int

    def predict(self, frame: pd.DataFrame, want: str) -> Any:
        """Return the predictions for these rows; ``None`` where the program does not give that."""
        meaning = {"logit": ("probability", "score"), "": (want,)}.get(self.output, (self.output,))
        if want not in meaning:
            return None
        raw = self._run(self._matrix(plain(frame)))
        if self.output == "logit":
            return _probability(raw) if want == "probability" else as_wanted(raw, want)
        return as_wanted(raw, want)

    def _matrix(self, frame: pd.DataFrame) -> npt.NDArray[Any]:
        if self.width is not None and self.width != frame.shape[1]:
            raise EvaluationError(
                f"'{self.source}' takes {plural(self.width, 'column')} and does not name them; "
                f"the dataset offers {frame.shape[1]}: {some_values(str(name) for name in frame.columns)}.",
                f"Save it with their names: extra_files={{'{SAID}': json.dumps({{'columns': [...]}})}}.",
            )
        try:
            # Writable, as PyTorch warns about what is not.
            return np.require(frame.to_numpy(dtype=self.dtype), requirements=["C", "W"])
        except (TypeError, ValueError):
            bad = [name for name, dtype in frame.dtypes.items() if dtype.kind not in "biuf"]
            raise InvalidError(
                f"'{self.source}' takes a tensor of numbers, and the dataset has "
                f"{some_values(f'{name}: {frame[name].dtype}' for name in bad) or 'missing values'} there.",
                "Encode them within the program, or return the model from a python: factory that does.",
            ) from None

    def _run(self, rows: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Run the program over as many rows at once as it was exported for."""
        import torch

        parts = []
        for start in range(0, len(rows), self.most):
            part = rows[start : start + self.most]
            short = max(self.least - len(part), 0)
            if short:  # the last row again; what is said of it is cut off
                part = np.concatenate([part, np.repeat(part[-1:], short, axis=0)])
            with torch.inference_mode():
                said = self.program(torch.from_numpy(part))
            if not isinstance(said, torch.Tensor):
                raise EvaluationError(
                    f"'{self.source}' returns {type(said).__name__}, and one tensor was needed.",
                    "Let the program return its predictions only, or pick them in a python: factory.",
                )
            said = said.detach().cpu()
            said = (said.double() if said.is_floating_point() else said).numpy()
            parts.append(said[: len(said) - short])
        return np.concatenate(parts)


def load(identity: Identity, content: bytes, context: SourceContext) -> TorchModel:
    """Load the bytes of a ``.pt2`` or ``.pt`` file that the user trusts.

    The archive's members tell which of the two it is, not its suffix. The program runs on the CPU.

    Raises
    ------
    UntrustedError
        If nobody said that it may run code.
    InvalidError
        If it is no whole archive, or holds weights or a pickled module instead of a program.
    """
    members = _members(identity, content)
    require_trust(identity, context, PROGRAM)
    torch = needed("torch", identity.source, extra="torch")
    read = _exported if any(name.endswith("models/model.json") for name in members) else _scripted
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # TorchScript is old, as its owner knows
            found = read(torch, content)
    except InvalidError:
        raise
    except Exception as error:  # noqa: BLE001 - a broken archive can raise anything
        raise InvalidError(
            f"PyTorch {torch.__version__} cannot read '{identity.source}': "
            f"{shorten(first_line(error), 120)}.",
            "Write it again with torch.export.save, by this version of PyTorch or an older one.",
        ) from None
    if len(found.inputs) != 1:
        raise EvaluationError(
            f"'{identity.source}' takes {plural(len(found.inputs), 'input')}: {some_values(found.inputs)}.",
            "One tensor with a column for each feature was needed: export a module that takes it apart, "
            "or return the model from a python: factory.",
        )
    said = _said(identity, found.said)
    columns = None if said["columns"] is None else tuple(said["columns"])
    if columns is not None and found.width not in (None, len(columns)):
        raise InvalidError(
            f"'{identity.source}' takes {plural(found.width or 0, 'column')}, and {SAID} in it names "
            f"{len(columns)}: {some_values(columns)}.",
            "Save it again with the columns that it takes, in their order.",
        )
    return TorchModel(
        identity=identity,
        kind=found.kind,
        columns=columns,
        classes=None if said["classes"] is None else tuple(said["classes"]),
        program=found.program,
        output=said["output"],
        dtype=found.dtype,
        width=found.width,
        least=found.least,
        most=found.most,
    )


@dataclass(frozen=True, kw_only=True)
class _Program:
    """What reading an archive gives."""

    kind: str
    program: Callable[[Any], Any]
    inputs: tuple[str, ...]
    said: str
    dtype: Any
    width: int | None = None
    least: int = 0
    most: int = _FOREVER


def _members(identity: Identity, content: bytes) -> list[str]:
    """Return the names in the archive, where it holds a program."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = archive.namelist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError):
        raise InvalidError(
            f"'{identity.source}' is no whole archive of PyTorch.",
            "Write it again with torch.export.save(program, 'model.pt2').",
        ) from None
    if any(name.endswith(("models/model.json", "/constants.pkl")) for name in members):
        return members
    if any(name.endswith("serialized_exported_program.json") for name in members):
        raise InvalidError(
            f"'{identity.source}' was exported by a PyTorch before 2.8, in a format that it has left.",
            "Export it again with PyTorch 2.8 or newer.",
        )
    raise InvalidError(
        f"'{identity.source}' holds weights or a pickled module, and no program that could be run.",
        "Save the program: torch.export.save(torch.export.export(module, (rows,), "
        "dynamic_shapes=({0: torch.export.Dim('rows')},)), 'model.pt2'); "
        "or return the module from a python: factory.",
    )


def _exported(torch: Any, content: bytes) -> _Program:
    """Read an archive of ``torch.export``."""
    extra = {SAID: ""}
    exported = torch.export.load(io.BytesIO(content), extra_files=extra)
    inputs = exported.graph_signature.user_inputs
    tensor = next(
        node.meta["val"]
        for node in exported.graph.nodes
        if node.op == "placeholder" and node.name in inputs[:1]
    )
    rows, *others = tensor.shape
    if isinstance(rows, int):
        least = most = rows
    else:
        bounds = exported.range_constraints[rows.node.expr]
        least, most = int(bounds.lower), int(min(bounds.upper, _FOREVER))
    return _Program(
        kind="torch.export",
        program=exported.module(),
        inputs=tuple(map(str, inputs)),
        said=extra[SAID],
        dtype=_numpy_dtype(tensor.dtype),
        width=others[0] if len(others) == 1 and isinstance(others[0], int) else None,
        least=max(least, 1),
        most=max(most, 1),
    )


def _scripted(torch: Any, content: bytes) -> _Program:
    """Read an archive of TorchScript."""
    extra: dict[str, Any] = {SAID: ""}
    module = torch.jit.load(io.BytesIO(content), map_location="cpu", _extra_files=extra).eval()
    arguments = module.forward.schema.arguments[1:]  # the first is the module itself
    floats = (value.dtype for value in module.parameters() if value.is_floating_point())
    return _Program(
        kind="torchscript",
        program=module,
        inputs=tuple(item.name for item in arguments if not item.has_default_value()),
        said=extra[SAID].decode() if isinstance(extra[SAID], bytes) else extra[SAID],
        dtype=_numpy_dtype(next(floats, torch.float32)),
    )


def _numpy_dtype(dtype: Any) -> Any:
    return np.dtype(str(dtype).removeprefix("torch."))


def _said(identity: Identity, text: str) -> dict[str, Any]:
    """Return what the file in the archive says, checked."""
    try:
        said = json.loads(text) if text else {}
    except ValueError:
        said = None
    if not isinstance(said, Mapping):
        raise _wrong(identity, "is no JSON object")
    unknown = [key for key in said if key not in _KEYS]
    if unknown:
        raise _wrong(identity, f"has the key {unknown[0]!r}")
    lists = {key: said.get(key) for key in ("columns", "classes")}
    for key, values in lists.items():
        if values is not None and not (
            isinstance(values, list) and len(set(map(str, values))) == len(values)
        ):
            raise _wrong(identity, f"has {key} that are no list of different names")
    output = said.get("output", "")
    if output not in ("", *OUTPUTS):
        raise _wrong(identity, f"has the output {output!r}")
    return {**lists, "output": output}


def _wrong(identity: Identity, problem: str) -> InvalidError:
    return InvalidError(
        f"{SAID} in '{identity.source}' {problem}.",
        f"It may have columns and classes, each a list, and output, one of {', '.join(OUTPUTS)}.",
    )


def _probability(logits: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """Return the logistic of one column, and the softmax over several."""
    if logits.ndim == 1 or logits.shape[1] == 1:
        half = np.exp(-np.abs(logits))  # never more than 1, so that nothing overflows
        return np.asarray(np.where(logits >= 0, 1, half) / (1 + half), dtype=np.float64).reshape(-1)
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True), dtype=np.float64)
