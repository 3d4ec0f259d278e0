"""What the repository promises about itself: its commands, its files, and what is not in them."""

from __future__ import annotations

import ast
import re
import subprocess
import tomllib

import pytest


@pytest.fixture
def tracked(root):
    """The files that git knows, except binary ones."""
    done = subprocess.run(
        ["git", "ls-files", "-z"], cwd=root, capture_output=True, encoding="utf-8", check=False
    )
    if done.returncode:
        pytest.skip("not in a git checkout")
    files = [root / name for name in done.stdout.split("\0") if name]
    return [file for file in files if file.is_file() and b"\0" not in file.read_bytes()[:8000]]


def commands(text: str) -> list[str]:
    """Return the commands of the console blocks of a Markdown text."""
    blocks = re.findall(r"^```console\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL)
    return [
        line.removeprefix("$ ") for block in blocks for line in block.splitlines() if line.startswith("$ ")
    ]


def test_ci_runs_the_readmes_test_command_literally(root):
    shown = commands((root / "README.md").read_text(encoding="utf-8"))
    script = (root / ".ci" / "run").read_text(encoding="utf-8").splitlines()
    demo, tests = shown[:2]  # the two commands stand first
    assert tests in script
    assert demo.endswith("tox run -e demo")
    assert tests.endswith("tox run")


def test_the_default_environments_are_all_described(root):
    import configparser

    tox = configparser.ConfigParser(interpolation=None)
    tox.read(root / "tox.ini", encoding="utf-8")
    default = tox["tox"]["env_list"].split()
    assert {"lint", "types", "docs", "wheel", "demo"} < set(default)
    described = [name.removeprefix("testenv:") for name in tox.sections() if name.startswith("testenv:")]
    assert [name for name in default if not name.startswith("py-") and name not in described] == []


def test_tox_runs_every_benchmark(root):
    written = {path.name for path in (root / "benchmarks").glob("*.py")}
    assert written == set(
        re.findall(r"python benchmarks/(\S+)", (root / "tox.ini").read_text(encoding="utf-8"))
    )


def test_dependency_groups_of_tox_exist(root):
    groups = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["dependency-groups"]
    used = re.findall(r"^dependency_groups = *(\S+)$", (root / "tox.ini").read_text(), flags=re.MULTILINE)
    assert used
    assert set(used) <= set(groups)


def test_the_example_pins_the_same_data_as_the_repository(root):
    group = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["dependency-groups"][
        "example"
    ]
    example = tomllib.loads((root / "examples/flights/pyproject.toml").read_text(encoding="utf-8"))
    exact = {item for item in group if "==" in item}
    assert exact == {item for item in example["project"]["dependencies"] if "==" in item}


def test_every_module_says_what_lives_there(root):
    silent = [
        path.relative_to(root).as_posix()
        for folder in ("src", "tests", "tools", "benchmarks", "examples")
        for path in sorted((root / folder).rglob("*.py"))
        if not ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    ]
    assert silent == []


def test_the_changelog_knows_the_version(root):
    version = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    assert f"\n## {version}" in (root / "CHANGELOG.md").read_text(encoding="utf-8")


#: Each is written so that it does not find itself.
FOREIGN = {
    "a path of one machine": r"/(?:home|Users|root|work)/[A-Za-z0-9_.]",
    "a package registry": (
        r"(?:pypi|registry\.npmjs|registry\.yarnpkg|deb\.debian)\.(?:org|com)|pythonhosted\.org"
    ),
    "an index option": r"-{2}(?:extra-)?index-url|-{2}trusted-host",
}


@pytest.mark.parametrize("what", FOREIGN)
def test_no_tracked_file_holds(what, tracked, root):
    pattern = re.compile(FOREIGN[what])
    found = [
        f"{file.relative_to(root)}:{number}: {line.strip()[:80]}"
        for file in tracked
        for number, line in enumerate(file.read_text(encoding="utf-8", errors="replace").splitlines(), 1)
        if pattern.search(line)
    ]
    assert found == []


def test_the_search_for_foreign_text_works():
    assert re.search(FOREIGN["a path of one machine"], "see /{}/main/x".format("work"))
    assert re.search(FOREIGN["a package registry"], "https://{}.org/simple".format("pypi"))
    assert not re.search(FOREIGN["a path of one machine"], "models:/credit@champion")
