"""Load a pandera schema: from an import path, or from a YAML or JSON file."""

from __future__ import annotations

import inspect
import json
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ...data_rules import read_rules
from ...errors import ConfigurationError, ModelGateError, UnavailableError
from ...importing import import_object
from ...spec import DataRule
from ...wording import did_you_mean, one_line, shorten, some

_SUFFIXES = (".yaml", ".yml", ".json")
#: What pandera writes into schema files beside the arguments of its own classes.
_FILE_KEYS = frozenset({"schema_type", "version", "api", "dataframe_library", "multiindex"})
_COLUMN_KEYS = frozenset({"alias", "metadata"})


@contextmanager
def quiet_pandera() -> Iterator[None]:
    """Keep pandera's warnings about itself from failing a run under ``-W error``.

    It warns about deprecated spellings of its own names in the user's schema module, and (older releases,
    with pandas 2) about what pandas says to pandera's code. Warnings that the user's checks cause are
    attributed to the user's modules, and stay.
    """
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module=r"pandera(\.|$)")
        warnings.filterwarnings("ignore", message="Importing pandas-specific classes", category=FutureWarning)
        yield


_FORM = "package.module:Name, for example credit.schemas:Holdout"


def load_schema(text: str, root: str) -> Any:
    """Return the ``pandera.pandas.DataFrameSchema`` that a configuration names.

    Parameters
    ----------
    text : str
        ``package.module:Name`` of a schema object or model, or a path ending in .yaml, .yml or .json.
    root : str
        Directory that paths start from and whose modules can be imported.

    Raises
    ------
    ConfigurationError
        If it is no pandas schema of pandera, or a file that does not describe one.
    UnavailableError
        If the module or file, or a package that reading it needs, is not there.
    """
    try:
        with quiet_pandera():
            import pandera.pandas  # noqa: F401 - registers the pandas backend
    except ImportError as error:
        raise UnavailableError(
            f"The schema '{text}' cannot be checked: {one_line(error)}.", "Run: pip install pandera."
        ) from None
    if text.lower().endswith(_SUFFIXES):
        return _from_file(text, root)
    with quiet_pandera():
        found = import_object(text, root, source=text, form=_FORM)
        return _as_schema(found, text)


def load_rules(text: str, root: str) -> tuple[DataRule, ...]:
    """Return the rules that a schema file has beside those of pandera; a schema in Python has none.

    Raises
    ------
    ConfigurationError
        If a rule makes no sense, or the file is none.
    UnavailableError
        If the file, or a package that reading it needs, is not there.
    """
    if not text.lower().endswith(_SUFFIXES):
        return ()
    return _rules(_plain(text, root), text)


def _rules(plain: Mapping[str, Any], text: str) -> tuple[DataRule, ...]:
    try:
        return read_rules(plain.get("rules") or [])
    except ConfigurationError as error:
        raise ConfigurationError(f"The schema file {text}: {error.what}", error.remedy) from None


def _as_schema(found: Any, text: str) -> Any:
    from pandera.api.pandas.container import DataFrameSchema
    from pandera.api.pandas.model import DataFrameModel

    if isinstance(found, DataFrameSchema):
        return found
    model: Any = found
    if isinstance(found, type) and issubclass(found, DataFrameModel):
        try:
            return model.to_schema()
        except Exception as error:
            raise ConfigurationError(
                f"The schema '{text}' is not valid: {one_line(error)}.", "Correct the model's fields."
            ) from error
    what = (
        f"the class {found.__name__}"
        if isinstance(found, type)
        else f"an object of type {type(found).__name__}"
    )
    raise ConfigurationError(
        f"The schema '{text}' is {what}, not a DataFrameSchema or DataFrameModel of pandera.pandas.",
        "Name one, for example credit.schemas:Holdout.",
    )


def _from_file(text: str, root: str) -> Any:
    plain = _plain(text, root)
    # A schema whose rules make no sense is none, even though pandera never sees them.
    rules = _rules(plain, text)
    plain.pop("rules", None)
    _check_keys(plain, text, has_rules=bool(rules))
    return _deserialize(plain, text)


def _plain(text: str, root: str) -> dict[str, Any]:
    """Return what a schema file holds."""
    path = Path(root) / text
    try:
        content = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        siblings = [item.name for item in path.parent.iterdir()] if path.parent.is_dir() else []
        remedy = did_you_mean(
            path.name, siblings, f"Relative paths start from {Path(root).absolute().as_posix()}."
        )
        raise UnavailableError(f"The schema file {text} does not exist.", remedy) from None
    except UnicodeDecodeError:
        raise _broken(text, "is not UTF-8") from None
    except OSError as error:
        raise UnavailableError(
            f"The schema file {text} cannot be read: {error.strerror or error}.", "Check the path."
        ) from None
    return _parse(content, text)


def _parse(content: str, text: str) -> dict[str, Any]:
    if text.lower().endswith(".json"):
        try:
            plain = json.loads(content)
        except json.JSONDecodeError as error:
            raise _broken(
                text, f"is not JSON: {error.msg} (line {error.lineno}, column {error.colno})"
            ) from None
    else:
        try:
            import yaml
        except ImportError:
            raise UnavailableError(
                f"The schema file {text} needs PyYAML.", "Run: pip install pyyaml."
            ) from None
        try:
            plain = yaml.safe_load(content)
        except yaml.MarkedYAMLError as error:
            at = f" (line {error.problem_mark.line + 1})" if error.problem_mark else ""
            raise _broken(
                text, f"is not YAML: {shorten(error.problem or 'cannot be parsed', 100)}{at}"
            ) from None
        except yaml.YAMLError as error:
            raise _broken(text, f"is not YAML: {one_line(error)}") from None
    if not isinstance(plain, dict):
        raise _broken(text, f"holds {type(plain).__name__} where a table with 'columns' was needed")
    return plain


def _check_keys(plain: Mapping[str, Any], text: str, *, has_rules: bool) -> None:
    """Refuse what pandera would pass over: a misspelt key would be a rule that is never checked."""
    from pandera.api.checks import Check
    from pandera.api.pandas.components import Column
    from pandera.api.pandas.container import DataFrameSchema

    known = _parameters(DataFrameSchema) | _FILE_KEYS
    for key in plain:
        if key not in known:
            raise ConfigurationError(
                f"The schema file {text} has an unknown key '{shorten(str(key))}'.",
                did_you_mean(str(key), {*known, "rules"}, f"Known: {some(sorted({*known, 'rules'}), 20)}."),
            )
    columns = plain.get("columns")
    if not columns and not plain.get("checks") and not has_rules:
        raise _broken(text, "has no columns, no checks and no rules, so it would accept anything")
    if not isinstance(columns, dict):
        return
    known = _parameters(Column) | _COLUMN_KEYS
    for name, column in columns.items():
        for key in column if isinstance(column, dict) else ():
            if key not in known and not hasattr(Check, str(key)):
                raise ConfigurationError(
                    f"The schema file {text} has an unknown key '{shorten(str(key))}' "
                    f"for column '{shorten(str(name))}'.",
                    did_you_mean(
                        str(key), known, f"Known: {some(sorted(known), 20)}, and the names of checks."
                    ),
                )


def _parameters(cls: type) -> frozenset[str]:
    return frozenset(inspect.signature(cls).parameters)


def _deserialize(plain: dict[str, Any], text: str) -> Any:
    try:
        with quiet_pandera():
            from pandera.io.pandas_io import deserialize_schema
    except ImportError as error:
        # Older releases of pandera import a code formatter and another validator to read a file.
        raise UnavailableError(
            f"The schema file {text} cannot be read: this release of pandera needs more packages "
            f"({one_line(error.__cause__ or error)}).",
            "Run: pip install 'pandera[io]', or upgrade pandera, or name a Python one (package.module:Name).",
        ) from None
    try:
        with quiet_pandera():
            return deserialize_schema(plain)
    except ModelGateError:
        raise
    except Exception as error:  # noqa: BLE001 - whatever pandera trips over, it is the file that is wrong
        raise _broken(text, f"does not describe a schema: {one_line(error)}") from None


def _broken(text: str, what: str) -> ConfigurationError:
    return ConfigurationError(
        f"The schema file {text} {what}.",
        "Correct it, or write it again with pandera: schema.to_yaml(path) or schema.to_json(path).",
    )
