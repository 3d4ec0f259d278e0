"""Write the pages of ``docs/reference/`` that the program itself tells: help, fixtures, record schema.

``python tools/reference.py`` writes them; with ``--check`` it only says which ones are out of date.
``tests/contract/test_reference.py`` does the same check.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

REFERENCE = Path(__file__).resolve().parents[1] / "docs" / "reference"

COMMAND_LINE = """\
# Command line

This page is written by `tools/reference.py`.

## Options of pytest

```text
{options}
```

## The marker

```text
{marker}
```

## Fixtures

```text
{fixtures}
```

## The shell command

`model-gate` and `python -m pytest_model_gate` are the same.

```text
{shell}
```
{commands}"""

COMMAND = """
### model-gate {name}

```text
{text}
```
"""


def main() -> int:
    """Write the pages, or compare them with the files."""
    check, stale = "--check" in sys.argv[1:], False
    for name, make in PAGES.items():
        text, file = make(), REFERENCE / name
        current = file.read_text(encoding="utf-8") if file.exists() else ""
        if current == text:
            print(f"docs/reference/{name}: up to date")
        elif check:
            stale = True
            print(f"docs/reference/{name}: out of date, run python tools/reference.py")
        else:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8", newline="\n")
            print(f"docs/reference/{name}: written")
    return 1 if stale else 0


def record_schema() -> str:
    """Return the JSON Schema of a record, which also is what ``--gate-report x.json`` holds."""
    from pydantic import TypeAdapter

    from pytest_model_gate.results import SCHEMA_VERSION, GateRecord

    schema = TypeAdapter(GateRecord).json_schema(mode="serialization")
    _tidy(schema)
    schema["properties"]["schema_version"] = {"const": SCHEMA_VERSION}
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    schema["title"] = "A record of pytest-model-gate: what one gate found"
    return json.dumps(schema, indent=2, ensure_ascii=False, sort_keys=True) + "\n"


def _tidy(node: object) -> None:
    """Demand all keys and refuse others, as ``wire.loads`` does; drop what only repeats names."""
    if isinstance(node, list):
        for item in node:
            _tidy(item)
    if not isinstance(node, dict):
        return
    if isinstance(node.get("title"), str):
        del node["title"]
    node.pop("default", None)
    if isinstance(node.get("description"), str):
        node["description"] = node["description"].partition("\n\n")[0].replace("\n", " ")
    if "properties" in node:
        node["additionalProperties"] = False
        node["required"] = sorted(node["properties"])
    for value in node.values():
        _tidy(value)


def command_line() -> str:
    """Return everything that the two command lines say about themselves."""
    shell = _run("-m", "pytest_model_gate", "--help")
    return COMMAND_LINE.format(
        options=_group(_run("-m", "pytest", "--help"), "--gate-"),
        marker=_paragraph(_run("-m", "pytest", "--markers"), "@pytest.mark.model_gate"),
        fixtures=_fixtures(_run("-m", "pytest", "--fixtures", "-v")),
        shell=shell.rstrip(),
        commands="".join(
            COMMAND.format(name=" ".join(words), text=text.rstrip()) for words, text in _helps(shell)
        ),
    )


def _run(*arguments: str) -> str:
    """Return what a command prints in an empty directory, 80 columns wide and without colours."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("PYTEST", "PY_"))}
    environment.update(COLUMNS="80", NO_COLOR="1", PYTHONUTF8="1")
    with tempfile.TemporaryDirectory() as empty:
        done = subprocess.run(
            [sys.executable, *arguments],
            cwd=empty,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            timeout=120,
            check=False,
        )
    if done.returncode not in (0, 5):  # 5: pytest found no test, which is so in an empty directory
        raise SystemExit(f"{' '.join(arguments)} failed:\n{done.stdout}{done.stderr}")
    return done.stdout


def _group(text: str, option: str) -> str:
    """Return the group of options that holds ``option``: a title and the indented lines below it."""
    groups: list[list[str]] = []
    for line in text.splitlines():
        if line and not line.startswith(" "):
            groups.append([])
        if groups:
            groups[-1].append(line)
    found = [lines for lines in groups if any(line.strip().startswith(option) for line in lines)]
    if len(found) != 1:
        raise SystemExit(f"one group of options was expected to hold {option}, {len(found)} do")
    return "\n".join(found[0]).rstrip()


def _paragraph(text: str, start: str) -> str:
    return next(part for part in text.split("\n\n") if part.startswith(start)).rstrip()


def _fixtures(text: str) -> str:
    """Return the entries of our fixtures: a name, perhaps its scope, and the indented lines below it."""
    entries: list[list[str]] = []
    for line in text.splitlines():
        if line and not line.startswith(" "):
            entries.append([])
        if entries:
            entries[-1].append(line.partition(" -- ")[0].rstrip())
    ours = ("model_gate", "candidate_model", "production_model", "baseline_model", "pinned_dataset")
    return "\n\n".join("\n".join(entry).rstrip() for entry in entries if entry[0].split(" ")[0] in ours)


def _helps(text: str, *above: str) -> Iterator[tuple[tuple[str, ...], str]]:
    """Yield every command below a help text with its own, those of a command that has some after it."""
    for name in _commands(text):
        words = (*above, name)
        said = _run("-m", "pytest_model_gate", *words, "--help")
        yield words, said
        if "\nactions:\n" in said:
            yield from _helps(said, *words)


def _commands(text: str) -> tuple[str, ...]:
    """Return the sub-commands, which argparse lists as {pin,report}."""
    inside = text.partition("{")[2].partition("}")[0]
    return tuple(name for name in inside.split(",") if name)


PAGES: dict[str, Callable[[], str]] = {
    "record.schema.json": record_schema,
    "command-line.md": command_line,
}

if __name__ == "__main__":
    raise SystemExit(main())
