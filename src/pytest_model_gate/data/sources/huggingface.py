"""``hf:path#split``: a dataset that Hugging Face's ``save_to_disk`` wrote, read without its library."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ...errors import ConfigurationError, InvalidError, UnavailableError
from ...hooks import DatasetProtocol
from ...spec import SourceContext
from ...wording import did_you_mean, nearest, shorten, some
from .reading import reading
from .stream import StreamDataset

PREFIX = "hf:"
_SOURCE = re.compile(r"(?P<path>[^#]+)(?:#(?P<split>[^#]+))?")
_STATE, _SPLITS = "state.json", "dataset_dict.json"


def open_source(source: str, context: SourceContext) -> DatasetProtocol:
    """Open one split. The digest is over its rows; the library's fingerprint is only told.

    That fingerprint is of the steps that made a dataset, not of its rows: it stays when a file is changed,
    and moves when the same rows are made in another way.
    """
    found = _SOURCE.fullmatch(source.removeprefix(PREFIX))
    if not found:
        raise ConfigurationError(
            f"'{source}' names no saved dataset.", "Write hf:path, or hf:path#test where it has splits."
        )
    folder = Path(os.path.normpath(Path(context.root).absolute() / found["path"]))
    folder = _split(source, folder, found["path"], found["split"], context.root)
    state = _json(source, folder / _STATE)
    if state.get("_indices_data_files") or state.get("_indices_files"):
        raise InvalidError(
            f"'{source}' was saved with a list of the rows that count, which is not read here.",
            "Save it again with a release of datasets since 2.0, or after dataset.flatten_indices().",
        )
    names = [str(item["filename"]) for item in state.get("_data_files", ())]
    files = _Files(source, [folder / name for name in names])
    resolved = f"{found['path']}{'#' + found['split'] if found['split'] else ''}"
    return StreamDataset(
        source,
        f"{resolved} ({len(names):,} {'file' if len(names) == 1 else 'files'}, fingerprint "
        f"{shorten(str(state.get('_fingerprint')))})",
        files.schema,
        files.scan,
    )


def _split(source: str, folder: Path, path: str, split: str | None, root: str) -> Path:
    """Return the folder that holds the files."""
    if not folder.is_dir():
        beside = folder.parent.iterdir() if folder.parent.is_dir() else ()
        near = nearest(folder.name, [item.name for item in beside if item.is_dir()])
        raise UnavailableError(
            f"There is no saved dataset at {path}.",
            f"Did you mean '{Path(path).with_name(near).as_posix()}'?"
            if near
            else f"Relative paths start from {Path(root).absolute().as_posix()}.",
        )
    if (folder / _SPLITS).is_file():
        known = [str(name) for name in _json(source, folder / _SPLITS).get("splits", ())]
        if split is None:
            raise ConfigurationError(
                f"'{source}' has several splits: {some(known)}.",
                f"Say which one, for example {source}#{known[-1] if known else 'test'}.",
            )
        if split not in known:
            raise UnavailableError(
                f"'{source}' has no split '{shorten(split)}'.",
                did_you_mean(split, known, f"It has: {some(known)}."),
            )
        return folder / split
    if not (folder / _STATE).is_file():
        raise UnavailableError(
            f"{path} is no dataset that save_to_disk wrote: it has no {_STATE}.",
            "Name the folder that save_to_disk was given. A folder of Parquet files needs no hf: in front.",
        )
    if split is not None:
        raise UnavailableError(f"'{source}' has no splits.", f"Write {PREFIX}{path}.")
    return folder


def _json(source: str, path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UnavailableError(
            f"'{source}' is incomplete: it has no {path.name}.", "Save it again, or fetch all of it."
        ) from None
    except (OSError, ValueError):
        found = None
    if not isinstance(found, dict):
        raise InvalidError(f"'{source}' is damaged: {path.name} cannot be read.", "Save it again.")
    return found


class _Files:
    """The Arrow streams of a split, in the order that it says."""

    def __init__(self, source: str, paths: Sequence[Path]) -> None:
        self._source, self._paths = source, paths
        for path in paths:
            if not path.is_file():
                raise UnavailableError(
                    f"'{source}' is incomplete: it has no {path.name}.", "Save it again, or fetch all of it."
                )
        if not paths:
            raise InvalidError(f"'{source}' holds no files.", "Save it again.")
        with self._opened(paths[0]) as stream:
            self.schema = stream.schema.remove_metadata()

    def scan(self, names: Sequence[str]) -> Iterator[Any]:
        """Yield the record batches of some columns."""
        for path in self._paths:
            with self._opened(path) as stream:
                for batch in stream:
                    yield batch.select(list(names))

    @contextmanager
    def _opened(self, path: Path) -> Iterator[Any]:
        import pyarrow as pa

        # No memory map: a file that is cut short meanwhile would end the whole process.
        with (
            reading(f"{self._source}: {path.name}", "Arrow"),
            pa.OSFile(str(path)) as file,
            pa.ipc.open_stream(file) as stream,
        ):
            yield stream
