"""The reference names every rule with all of its keys, and the defaults that they really have."""

from __future__ import annotations

import re
from pathlib import Path

from pytest_model_gate.data_rules import COMMON, KINDS, read_rules
from pytest_model_gate.spec import DataRule

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reference" / "configuration.md"


def tables():
    text = PAGE.read_text(encoding="utf-8").partition("## Keys of a rule\n")[2].partition("\n## ")[0]
    found = re.findall(r"(?:^\|.*\n)+", text, flags=re.M)
    return [
        [[cell.strip() for cell in line.strip("|\n").split("|")] for line in part.splitlines()[2:]]
        for part in found
    ]


def test_the_keys_that_every_rule_has():
    common, _ = tables()
    assert [row[0].strip("`") for row in common] == ["rule", *COMMON]
    defaults = {name: key.default for name, key in COMMON.items()}
    for name, _, default, _ in common[1:]:
        real = defaults[name.strip("`")]
        assert default.strip("`").strip('"') == str(real).lower()
        assert getattr(DataRule(rule="rows"), name.strip("`")) == real


def test_every_rule_has_a_row_with_its_keys_and_their_defaults():
    _, kinds = tables()
    assert [row[0].strip("`") for row in kinds] == list(KINDS)
    for name, keys, meaning in kinds:
        assert meaning
        # Defaults stand behind the key, in brackets.
        shown = re.sub(r"\([^)]*\)", "", keys)
        assert re.findall(r"`(\w+)`", shown) == list(KINDS[name.strip("`")])
        for key, default in re.findall(r"`(\w+)` \(`?\"?([^`\")]*)", keys):
            real = KINDS[name.strip("`")][key]
            assert not real.required
            if real.default is not None:
                assert str(real.read(_written(default))) == str(real.default)


def _written(text):
    try:
        return float(text) if "." in text else int(text)
    except ValueError:
        return text


def test_the_examples_of_the_page_can_be_written():
    text = PAGE.read_text(encoding="utf-8")
    assert "`1.0`, while `1` is one row" in text
    share, one = read_rules([{"rule": "nulls", "column": "x", "at_most": value} for value in (1.0, 1)])
    assert (share.options["at_most"], one.options["at_most"]) == (1.0, 1)
    assert isinstance(one.options["at_most"], int)
