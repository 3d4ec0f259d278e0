"""The runner of the documents finds what is wrong in them."""

from __future__ import annotations

import re

import page_blocks
import pytest


@pytest.fixture
def run(tmp_path):
    """Run a page from its text; fences are written with ~ for readability here."""

    def run(text: str) -> list[str]:
        page = tmp_path / "page.md"
        page.write_text(text.replace("~~~", "```"), encoding="utf-8")
        place = tmp_path / "place"
        place.mkdir(exist_ok=True)
        return page_blocks.Runner(place).run(page_blocks.read(page, "page.md"))

    return run


def test_blocks_of_a_page_share_directory_and_names(run):
    run(
        "<!-- block: file=one.txt -->\n~~~text\nhello\n~~~\n"
        "~~~python\nimport pathlib\ncontent = pathlib.Path('one.txt').read_text()\n~~~\n"
        "~~~python\n>>> content\n'hello\\n'\n~~~\n"
        "~~~console\n$ cat one.txt\nhello\n$ echo a \\\n  b\na b\n~~~\n"
    )


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("~~~\nx\n~~~", "page.md:1: a block of 'no language': use python, console, toml, json, yaml, text"),
        ("~~~bash\nx\n~~~", "page.md:1: a block of 'bash': use python, console, toml, json, yaml, text"),
        ("~~~python\nx", "page.md:1: the block is never closed"),
        ("<!-- block: file=x -->\ntext\n~~~text\n~~~", "page.md:1: the comment stands above no block"),
        ("<!-- block: fil=x -->\n~~~text\n~~~", "page.md:1: block knows no 'fil'"),
        (
            "<!-- block: shown -->\n~~~text\n~~~",
            'page.md:2: a block that is only shown needs a reason: because="…"',
        ),
        ("~~~console\nls\n~~~", "page.md:1: a console block starts with a command: $ …"),
        ("~~~console\n$ exit 3\n~~~", "page.md:1: $ exit 3\nended with 3, not 0:\n"),
        ("~~~console\n$ echo a\nb\n~~~", "page.md:1: $ echo a\nshould print\nb\nthere, and printed\na\n"),
        (
            "~~~python\ndef test_x():\n    assert 0\n~~~",
            "page.md:1: a test that no pytest runs: give it file=test_….py, and run pytest below",
        ),
        (
            "<!-- block: file=test_x.py -->\n~~~python\ndef test_x():\n    assert 0\n~~~",
            "page.md:2: no later block runs pytest, so nobody ran test_x.py",
        ),
        ("~~~toml\n[tool.other]\nx = 1\n~~~", "page.md:1: there is no [tool.model_gate] in it"),
    ],
)
def test_what_is_wrong_is_said(run, text, problem):
    with pytest.raises(page_blocks.BlockError, match=f"^{re.escape(problem)}$"):
        run(text)


def test_a_doctest_that_shows_something_else_is_found(run):
    with pytest.raises(page_blocks.BlockError, match="what the example shows is not what comes"):
        run("~~~python\n>>> 1 + 1\n3\n~~~")


@pytest.mark.parametrize(
    "text",
    [
        "~~~python\n1 / 0\n~~~",
        "~~~json\n{\n~~~",
        "~~~toml\na =\n~~~",
        "~~~toml\n[tool.model_gate]\nmetricss = 1\n~~~",
    ],
)
def test_what_does_not_work_fails(run, text):
    with pytest.raises(Exception, match=r"."):
        run(text)


def test_what_is_only_shown_is_reported(run):
    assert run('<!-- block: shown because="of that" -->\n~~~console\n$ exit 1\n~~~') == ["page.md:2: of that"]


def test_a_command_may_be_expected_to_fail(run):
    run("<!-- block: exit=3 -->\n~~~console\n$ exit 3\n~~~")


@pytest.mark.parametrize(
    ("expected", "printed"),
    [
        ("a\nb\n", "a\nb"),
        ("a\n...\nd", "a\nb\nc\nd"),
        ("...\nd", "d"),
        ("...", ""),
        ("a ... c", "a b c"),
        ("1 passed in 0.01s", "1 passed in 72.30s (0:01:12)"),
        ("a   b", "a b"),
        ("=== gates ===", "======= gates ======="),
        ("auc 0.7225 up", "auc 0.7227 up"),
        ("[-0.0043, 0.1305]", "[-0.0041, 0.1304]"),
        ("a.b (c) [d] *", "a.b (c) [d] *"),
    ],
)
def test_outputs_that_match(expected, printed):
    assert page_blocks.matches(expected, printed)


@pytest.mark.parametrize(
    ("expected", "printed"),
    [
        ("a", "b"),
        ("a", "a\nb"),
        ("a\n...\nd", "a\nb\nc"),
        ("1 passed in 0.01s", "2 passed in 0.01s"),
        ("auc 0.7225 up", "auc 0.7228 up"),
        ("gain 0.05", "gain -0.05"),
        ("n=412", "n=413"),
        ("a.b", "axb"),
        ("verdict pass", "verdict REGRESSED"),
    ],
)
def test_outputs_that_do_not_match(expected, printed):
    assert not page_blocks.matches(expected, printed)
