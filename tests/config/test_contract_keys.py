"""The key contracts: true, false or a table; and what is said of anything else."""

import pytest

from pytest_model_gate.config.files import read_project
from pytest_model_gate.config.resolve import resolve
from pytest_model_gate.config.tables import GateTable, read_table
from pytest_model_gate.errors import ConfigurationError
from pytest_model_gate.gate.fingerprint import config_digest, policy_digest
from pytest_model_gate.spec import Contracts

GATE = """
[gates.credit]
candidate = "a"
production = "b"
dataset = "d.parquet"
target = "y"
metrics = ["roc_auc"]
"""


def spec(root, line=""):
    (root / "model_gate.toml").write_text(f"{GATE}{line}\n")
    return resolve(read_project(root), name="credit", mark={}, default_name="test")


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("", None),
        ("contracts = true", Contracts()),
        ("contracts = false", Contracts(determinism=False, row_independence=False, signature=False)),
        (
            'contracts = { determinism = false, tolerance = 0.001, severity = "warn" }',
            Contracts(determinism=False, tolerance=0.001, severity="warn"),
        ),
    ],
)
def test_what_may_be_written(tmp_path, line, found):
    assert spec(tmp_path, line).contracts == found


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("all", "gate: contracts: must be true, false or a table, got 'all'."),
        ({"row_independent": True}, "gate: unknown key 'contracts.row_independent'."),
        ({"tolerance": 0.0}, "gate: contracts.tolerance: must be greater than 0, got 0.0."),
        ({"severity": "error"}, "gate: contracts.severity: must be 'fail' or 'warn', got 'error'."),
    ],
)
def test_what_may_not(value, message):
    with pytest.raises(ConfigurationError) as caught:
        read_table(GateTable, {"contracts": value}, "gate")

    assert caught.value.what == message
    if "unknown" in message:
        assert caught.value.remedy == "Did you mean 'row_independence'?"


def test_promises_are_policy_and_no_new_use_of_the_holdout(tmp_path):
    plain, other = spec(tmp_path), spec(tmp_path, "contracts = false")

    assert config_digest(plain) == config_digest(other)
    assert policy_digest(plain) != policy_digest(other)
