"""Read the fenced blocks of a Markdown page, run them in a directory, and compare what they print."""

from __future__ import annotations

import doctest
import io
import json
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import chdir, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

FENCE = re.compile(r"^(?P<indent> *)(?P<ticks>```+)(?P<language>[^\s`]*)[^\n]*$")
COMMENT = re.compile(r"^ *<!-- (?P<what>block|page):(?P<said>.*)-->\s*$")
SAID = re.compile(r"""(?P<key>\w+)(?:=(?:"(?P<quoted>[^"]*)"|(?P<plain>\S+)))?""")
KNOWN = {"block": {"file", "exit", "shown", "because"}, "page": {"start"}}
LANGUAGES = ("python", "console", "toml", "json", "yaml", "text")


class BlockError(AssertionError):
    """A block does not do what the page says; the message starts with file and line."""


@dataclass(frozen=True)
class Block:
    """One fenced block: its language, its text, what the comment above says, and where it stands."""

    language: str
    text: str
    said: Mapping[str, str]
    where: str

    def wrong(self, what: str) -> BlockError:
        return BlockError(f"{self.where}: {what}")


@dataclass(frozen=True)
class Page:
    """A page: its blocks in order, and what it says about itself."""

    blocks: tuple[Block, ...]
    said: Mapping[str, str]


@dataclass
class Runner:
    """Runs the blocks of one page, in order, in one directory."""

    directory: Path
    names: dict[str, Any] = field(default_factory=lambda: {"__name__": "page"})
    unused: dict[str, Block] = field(default_factory=dict)

    def run(self, page: Page) -> list[str]:
        """Run every block; return the reasons of those that the page only shows."""
        shown = []
        for block in page.blocks:
            if "shown" in block.said:
                if not block.said.get("because"):
                    raise block.wrong('a block that is only shown needs a reason: because="…"')
                shown.append(f"{block.where}: {block.said['because']}")
                continue
            if "file" in block.said:
                self.write(block)
            getattr(self, f"run_{block.language}")(block)
        for block in self.unused.values():
            raise block.wrong(f"no later block runs pytest, so nobody ran {block.said['file']}")
        return shown

    def write(self, block: Block) -> None:
        path = self.directory / block.said["file"]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(block.text, encoding="utf-8")
        if path.name.startswith("test_") or path.name == "conftest.py":
            self.unused[path.name] = block

    def run_text(self, block: Block) -> None:
        """Text is for reading."""

    def run_json(self, block: Block) -> None:
        json.loads(block.text)

    def run_yaml(self, block: Block) -> None:
        import yaml

        yaml.safe_load(block.text)

    def run_toml(self, block: Block) -> None:
        """Validate the gates of a project, or of a part of one; a lock file is only parsed."""
        from pytest_model_gate.config.files import OWN_FILE, PYPROJECT, read_project

        parsed = tomllib.loads(block.text)
        if block.said.get("file", "").endswith(".lock"):
            return
        if "tool" in parsed and "model_gate" not in parsed["tool"]:
            if "file" in block.said and "pytest" in parsed["tool"]:
                return  # pytest itself reads it in the console blocks below
            raise block.wrong("there is no [tool.model_gate] in it")
        place = self.directory / ".toml-block"
        place.mkdir(exist_ok=True)
        file = place / (PYPROJECT if "tool" in parsed else OWN_FILE)
        file.write_text(block.text, encoding="utf-8")
        read_project(place)
        file.unlink()

    def run_python(self, block: Block) -> None:
        """Run code in the names of the page; a file is only compiled, since its users come later."""
        code = compile(block.text, block.where, "exec") if ">>>" not in block.text else None
        if "file" in block.said:
            return
        if re.search(r"^(?:async )?def test_", block.text, flags=re.MULTILINE):
            raise block.wrong("a test that no pytest runs: give it file=test_….py, and run pytest below")
        with chdir(self.directory), redirect_stdout(io.StringIO()):
            if code is not None:
                exec(code, self.names)
                return
        said = io.StringIO()
        examples = doctest.DocTestParser().get_doctest(block.text, self.names, block.where, None, 0)
        flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
        with chdir(self.directory):
            failed = doctest.DocTestRunner(optionflags=flags).run(examples, out=said.write, clear_globs=False)
        self.names.update(examples.globs)
        if failed.failed:
            raise block.wrong(f"what the example shows is not what comes\n{said.getvalue()}")

    def run_console(self, block: Block) -> None:
        wanted_exit = int(block.said.get("exit", "0"))
        for command, expected in _commands(block):
            if re.search(r"(?:^|[\s&|;/])pytest\b", command):
                self.unused.clear()
            done = subprocess.run(
                ["bash", "-c", command],
                cwd=self.directory,
                env=_environment() | {"MODEL_GATE_CACHE": str(self.directory.parent / "cache")},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                encoding="utf-8",
                timeout=300,
                check=False,
            )
            if done.returncode != wanted_exit:
                raise block.wrong(
                    f"$ {command}\nended with {done.returncode}, not {wanted_exit}:\n{done.stdout}"
                )
            missed = mismatch(expected, done.stdout)
            if missed is not None:
                raise block.wrong(f"$ {command}\nshould print\n{missed}\nthere, and printed\n{done.stdout}")


def read(path: Path, name: str) -> Page:
    """Read one page; ``name`` is what messages call it."""
    blocks: list[Block] = []
    about_page: dict[str, str] = {}
    above: dict[str, str] = {}
    above_line = 0
    lines = iter(enumerate(path.read_text(encoding="utf-8").splitlines(), 1))
    for number, line in lines:
        where = f"{name}:{number}"
        if comment := COMMENT.match(line):
            said = _said(comment["said"])
            if unknown := set(said) - KNOWN[comment["what"]]:
                raise BlockError(f"{where}: {comment['what']} knows no {sorted(unknown)[0]!r}")
            if comment["what"] == "page":
                about_page |= said
            else:
                above, above_line = said, number
            continue
        if fence := FENCE.match(line):
            body = []
            for _, inside in lines:
                if inside.strip() == fence["ticks"]:
                    break
                body.append(inside.removeprefix(fence["indent"]))
            else:
                raise BlockError(f"{where}: the block is never closed")
            if fence["language"] not in LANGUAGES:
                known = ", ".join(LANGUAGES)
                raise BlockError(f"{where}: a block of {fence['language'] or 'no language'!r}: use {known}")
            blocks.append(Block(fence["language"], "".join(f"{part}\n" for part in body), above, where))
            above = {}
        elif line.strip() and above:
            raise BlockError(f"{name}:{above_line}: the comment stands above no block")
    if above:
        raise BlockError(f"{name}:{above_line}: the comment stands above no block")
    return Page(tuple(blocks), about_page)


def _said(text: str) -> dict[str, str]:
    return {found["key"]: found["quoted"] or found["plain"] or "" for found in SAID.finditer(text)}


def _commands(block: Block) -> Iterator[tuple[str, str]]:
    """Yield every command of a console block with the lines below it."""
    if not block.text.startswith("$ "):
        raise block.wrong("a console block starts with a command: $ …")
    for part in re.split(r"^\$ ", block.text, flags=re.MULTILINE)[1:]:
        command, _, expected = part.replace("\\\n", "").partition("\n")
        yield command, expected


def _environment() -> dict[str, str]:
    """Return a user's environment: this Python first on the path, nothing of the pytest around it."""
    leaks = ("PYTEST", "COV_", "CI", "GITHUB_")
    kept = {key: value for key, value in os.environ.items() if not key.startswith(leaks)}
    path = os.pathsep.join([str(Path(sys.executable).parent), kept.get("PATH", "")])
    # One thread: on these small data more of them only wait for each other where the machine is busy.
    return kept | {"PATH": path, "COLUMNS": "100", "NO_COLOR": "1", "OMP_NUM_THREADS": "1"}


NUMBER = re.compile(
    r"(?P<duration>\d+\.\d+ ?s\b(?: \([\d:]+\))?)|(?P<decimal>(?<![\w.])[-+]?\d+\.\d+(?![\w.]))"
)
LAST_DIGITS = 2


def matches(expected: str, printed: str) -> bool:
    """Whether a program printed what a page shows, by the rules of ``write-documents.md``."""
    return mismatch(expected, printed) is None


def mismatch(expected: str, printed: str) -> str | None:
    """Return the first line of a page that the program did not print there; ``None`` where all is well."""
    wanted = [line.strip() for line in expected.strip().splitlines()]
    came = [line.strip() for line in printed.strip().splitlines()]
    # The set of positions in ``came`` that the wanted lines so far can end at.
    ends = {0}
    for line in wanted:
        if line == "...":
            ends = set(range(min(ends), len(came) + 1))
        else:
            ends = {end + 1 for end in ends if end < len(came) and _same_line(line, came[end])}
        if not ends:
            return line
    return None if len(came) in ends else "(the end)"


def _same_line(wanted: str, came: str) -> bool:
    pattern, decimals = "", []
    for piece in re.split(r"(\.\.\.)", wanted):
        pattern += ".*?" if piece == "..." else _pattern(piece, decimals)
    found = re.fullmatch(pattern, came)
    return found is not None and all(
        abs(float(text) - float(shown)) <= LAST_DIGITS * 10.0 ** -len(shown.partition(".")[2]) * (1 + 1e-9)
        for shown, text in zip(decimals, found.groups(), strict=True)
    )


def _pattern(text: str, decimals: list[str]) -> str:
    """Return a pattern for literal text; the decimals that it shows are appended, one group for each."""
    pattern, at = "", 0
    for number in NUMBER.finditer(text):
        pattern += _literal(text[at : number.start()])
        at = number.end()
        if number["duration"]:
            pattern += r"\d+\.\d+ ?s(?: \([\d:]+\))?"
        else:
            decimals.append(number["decimal"])
            pattern += r"([-+]?\d+\.\d+)"
    return pattern + _literal(text[at:])


def _literal(text: str) -> str:
    ruled = re.sub(r"(={3,}|-{3,})", lambda found: f"\0{found[0][0]}", text)
    escaped = re.sub(r"(?:\\ )+", r"\\s+", re.escape(ruled))
    return re.sub(r"(?:\\)?\x00\\?([=-])", r"\1+", escaped)
