"""The page about the rooms: every room is on it, and what it names is there."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "src" / "pytest_model_gate"
PAGE = (ROOT / "docs" / "explanation" / "architecture.md").read_text(encoding="utf-8")
#: Public functions, and libraries, that stand between the modules.
NO_MODULES = {"compare_unpaired"}


def rows():
    """Yield each room of the table with the modules that its row names."""
    room = ""
    for line in PAGE.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("| ") and len(cells) == 3 and cells[0] != "room":
            room = cells[0].strip("`") or room
            yield room, [name for name in re.findall(r"`([\w/]+)`", cells[2]) if name not in NO_MODULES]


def test_every_room_has_a_row():
    folders = {file.parent.relative_to(PACKAGE).as_posix() + "/" for file in PACKAGE.rglob("__init__.py")}
    named = {room for room, _ in rows()} | {
        room + name for room, names in rows() for name in names if "/" in name
    }
    assert folders - {"./"} - named == set()


def test_every_module_that_is_named_is_there():
    assert [
        room + name
        for room, names in rows()
        for name in names
        if not (PACKAGE / room / (name if name.endswith("/") else f"{name}.py")).exists()
    ] == []


def test_every_module_of_the_ground_floor_is_in_the_drawing():
    drawing = PAGE.split("```")[1]
    floor = {file.stem for file in PACKAGE.glob("*.py")} - {"__init__", "__main__"}
    assert {name for name in floor if not re.search(rf"\b{name}\b", drawing)} == set()
