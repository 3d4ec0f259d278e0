"""The shell commands in a project whose tests treat warnings as errors."""

import subprocess
import sys


def test_pinning_where_warnings_are_errors(tmp_path):
    (tmp_path / "pyproject.toml").write_text('[tool.pytest.ini_options]\nfilterwarnings = ["error"]\n')
    (tmp_path / "d.csv").write_text("id,y,p\n1,0,0.2\n2,1,0.7\n")
    (tmp_path / "test_it.py").write_text(
        "import pytest\n\n"
        "@pytest.mark.model_gate(candidate='predictions:d.csv#p', production='predictions:d.csv#p',\n"
        "    dataset='d.csv', target='y', key='id', metrics=['roc_auc'])\n"
        "def test_it(): pass\n"
    )
    done = subprocess.run(
        [sys.executable, "-m", "pytest_model_gate", "pin"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / "model-gate.lock").is_file()
