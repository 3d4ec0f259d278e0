"""Every code block of the documents does what the page says."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import page_blocks
import pytest

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "examples" / "flights"
PAGES = sorted(
    [
        ROOT / "README.md",
        ROOT / "CHANGELOG.md",
        *(ROOT / "docs").rglob("*.md"),
        *(ROOT / "examples").rglob("*.md"),
    ]
)


@pytest.fixture(scope="session")
def flights(tmp_path_factory):
    """The flight example with its data and models, made once."""
    place = tmp_path_factory.mktemp("flights") / "flights"
    made = shutil.ignore_patterns("data", "mlruns", "mlflow.db*", "__pycache__", ".*")
    shutil.copytree(EXAMPLE, place, ignore=made)
    for script in ("prepare.py", "train.py"):
        subprocess.run([sys.executable, script], cwd=place, check=True, timeout=300)
    return place


@pytest.fixture(scope="session")
def tutorial(tmp_path_factory):
    """What a reader of the tutorial has in the end: data, three models, a gate and its pin."""
    place = tmp_path_factory.mktemp("tutorial") / "tutorial"
    place.mkdir()
    name = "docs/tutorial/first-gate.md"
    for block in page_blocks.read(ROOT / name, name).blocks:
        if "file" in block.said:
            (place / block.said["file"]).write_text(block.text, encoding="utf-8")
    for command in (["train.py"], ["-m", "pytest_model_gate", "pin"]):
        subprocess.run([sys.executable, *command], cwd=place, check=True, timeout=300)
    return place


@pytest.fixture(scope="session")
def mlflow(tmp_path_factory, tutorial):
    """What a reader of the page about MLflow has: the tutorial, and a registry with three versions."""
    place = tmp_path_factory.mktemp("mlflow") / "mlflow"
    shutil.copytree(tutorial, place)
    name = "docs/how-to/mlflow.md"
    for block in page_blocks.read(ROOT / name, name).blocks:
        if "file" in block.said:
            (place / block.said["file"]).write_text(block.text, encoding="utf-8")
    subprocess.run([sys.executable, "register.py"], cwd=place, check=True, timeout=300)
    return place


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_page(page, request, tmp_path):
    read = page_blocks.read(page, page.relative_to(ROOT).as_posix())
    if not read.blocks:
        return
    directory = tmp_path / "page"
    start = read.said.get("start")
    assert start in (None, "flights", "tutorial", "mlflow")
    if start is None:
        directory.mkdir()
    else:
        shutil.copytree(request.getfixturevalue(start), directory)
    shown = page_blocks.Runner(directory).run(read)
    if shown and len(shown) == len(read.blocks):
        pytest.skip("; ".join(shown))
    for reason in shown:
        print(f"only shown: {reason}")


LINK = re.compile(r"\]\((?!https?://|mailto:)(?P<file>[^)#\s]*)(?:#(?P<anchor>[^)\s]+))?\)")


def links(page: Path) -> list[tuple[Path, str]]:
    """Return the files and anchors that a page links to."""
    found = LINK.finditer(page.read_text(encoding="utf-8"))
    return [
        ((page.parent / link["file"]).resolve() if link["file"] else page, link["anchor"] or "")
        for link in found
    ]


def anchors(page: Path) -> set[str]:
    """Return the anchors of a page's titles, as GitHub makes them."""
    titles = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), flags=re.M)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def test_every_link_between_the_documents_leads_somewhere():
    dead = [
        f"{page.relative_to(ROOT).as_posix()}: {target.name}{anchor and '#'}{anchor}"
        for page in PAGES
        for target, anchor in links(page)
        if not target.exists() or (anchor and anchor not in anchors(target))
    ]
    assert dead == []


def test_every_page_is_listed_in_the_index_of_its_folder():
    docs = ROOT / "docs"
    indexes = [docs / "index.md", *docs.glob("*/index.md")]
    for index in indexes:
        listed = {target for target, _ in links(index)}
        pages = {page for page in index.parent.glob("*.md") if page != index}
        assert pages <= listed, index
    assert set(indexes[1:]) <= {target for target, _ in links(indexes[0])}
