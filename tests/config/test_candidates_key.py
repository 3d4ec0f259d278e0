"""One candidate and several take each other's place, layer by layer."""

from __future__ import annotations

import pytest

from pytest_model_gate.config.files import read_project
from pytest_model_gate.config.resolve import Overrides, resolve
from pytest_model_gate.errors import ConfigurationError

SEVERAL = {"candidates": ["a.skops", "b.skops"]}
ONE = {"candidate": "c.skops"}


@pytest.fixture
def asked(tmp_path):
    def resolved(gate, mark=None, typed=()):
        keys = {"production": "p.skops", "dataset": "d.csv", "target": "y", "metrics": ["roc_auc"], **gate}
        lines = [f"{key} = {value!r}" for key, value in keys.items()]
        (tmp_path / "model_gate.toml").write_text("\n".join(["[gates.credit]", *lines]), encoding="utf-8")
        spec = resolve(
            read_project(tmp_path),
            name="credit",
            mark=mark or {},
            default_name="x",
            overrides=Overrides(candidate=typed),
        )
        return spec.candidate, spec.candidates

    return resolved


def test_several_and_what_replaces_them(asked):
    assert asked(SEVERAL) == ("a.skops", ("a.skops", "b.skops"))
    assert asked(SEVERAL, ONE) == ("c.skops", ())
    assert asked(SEVERAL, typed=("d.skops",)) == ("d.skops", ())
    assert asked(ONE, SEVERAL) == ("a.skops", ("a.skops", "b.skops"))


def test_both_in_one_place(asked):
    with pytest.raises(ConfigurationError) as caught:
        asked({**SEVERAL, **ONE})
    assert caught.value.what == "gate 'credit' has candidate and candidates."
    assert caught.value.remedy == "Keep candidates, with all of them in it."
    with pytest.raises(ConfigurationError, match="candidates: must not be empty"):
        asked({"candidates": []})
