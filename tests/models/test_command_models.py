"""Commands as models: rows in, predictions out, within bounds, and nothing runs that nobody trusts."""

from __future__ import annotations

import os
import shlex
import stat
import sys
import time
from pathlib import Path

import lightgbm
import numpy as np
import pytest

from pytest_model_gate.errors import ConfigurationError, EvaluationError, InvalidError, UnavailableError
from pytest_model_gate.models.scoring import score

PYTHON = shlex.quote(sys.executable)

ARROW = """\
import sys
import lightgbm, pyarrow as pa
rows = pa.ipc.open_stream(sys.stdin.buffer).read_all().to_pandas()
said = lightgbm.Booster(model_file=sys.argv[1]).predict(rows[["a", "b", "c"]])
table = pa.table({"0": 1 - said, "1": said} if "both" in sys.argv else {"p": said})
with pa.ipc.new_stream(sys.stdout.buffer, table.schema) as writer:
    writer.write_table(table)
"""

CSV = """\
import csv, sys
print("p")
for row in csv.DictReader(sys.stdin):
    print(0.9 if float(row["a"]) > 0 else 0.125)
"""


@pytest.fixture
def run(load, tmp_path):
    """Trust a script, and load it as a model."""

    # Patterns of commands begin as commands do.
    def trusted(script: str, arguments: str = "", form: str = "exec:"):
        (tmp_path / "score.py").write_text(script, encoding="utf-8")
        source = f"{form}{PYTHON} score.py {arguments}".strip()
        return load(source, trusted_sources=(f"{form}*",))

    return trusted


@pytest.fixture
def booster(data, tmp_path):
    fitted = lightgbm.LGBMClassifier(n_estimators=5, verbose=-1).fit(data.numbers, data.label)
    fitted.booster_.save_model(tmp_path / "m.txt")
    return fitted


def test_rows_as_arrow_and_one_column(data, run, booster, load):
    model = run(ARROW, "m.txt")
    assert (model.kind, model.columns, model.classes) == ("command", None, None)
    expected = load("m.txt").predict(data.numbers, "probability")
    np.testing.assert_array_equal(model.predict(data.numbers, "probability"), expected)
    assert model.classes is None


def test_one_column_for_each_class(data, run, booster, load):
    model = run(ARROW, "m.txt both")
    assert model.classes is None  # nothing has run yet
    said = score(model, [data.numbers.iloc[:50], data.numbers.iloc[50:]], ["probability", "label"])
    np.testing.assert_array_equal(said.probability[:, 1], load("m.txt").predict(data.numbers, "probability"))
    assert model.classes == (0, 1)
    assert said.labels.tolist() == (said.probability[:, 1] > 0.5).astype(int).tolist()


def test_rows_as_csv(data, run):
    said = run(CSV, form="exec+csv:").predict(data.rows, "probability")
    assert said.tolist() == [0.9 if a > 0 else 0.125 for a in data.rows["a"]]


def test_labels_and_every_form_from_one_run(data, run, tmp_path):
    model = run(
        "import sys\nopen('runs', 'a').write('.')\nn = len(sys.stdin.readlines()) - 1\n"
        "print('said')\nfor i in range(n): print('NA' if i % 2 else 'no')",
        form="exec+csv:",
    )
    said = score(model, [data.rows], ["label", "score", "probability"])
    assert said.labels.tolist() == ["no", "NA"] * 100
    assert (said.probability, said.score) == (None, None)
    assert (tmp_path / "runs").read_text() == "."
    model.predict(data.rows, "label")  # asked again, it runs again: does it say the same?
    assert (tmp_path / "runs").read_text() == ".."


def test_it_runs_without_a_shell_in_the_root(data, run, tmp_path):
    script = (
        "import sys\nn = len(sys.stdin.readlines()) - 1\nopen('seen', 'w').write('|'.join(sys.argv[1:]))\n"
    )
    script += "print('p')\nfor i in range(n): print(0.5)"
    run(script, "'a b' $HOME '; touch it-ran' $(touch it-ran)", form="exec+csv:").predict(data.rows, "score")
    assert (tmp_path / "seen").read_text() == "a b|$HOME|; touch it-ran|$(touch|it-ran)"
    assert not (tmp_path / "it-ran").exists()


# --------------------------------------------------------------------------------------------- trust


def test_nothing_runs_by_default(data, load, tmp_path):
    (tmp_path / "evil.py").write_text("open('it-ran', 'w')")
    source = f"exec:{PYTHON} evil.py x.joblib"
    # Patterns that speak of files do not speak of commands.
    for patterns in ((), ("*",), ("*.joblib",), ("models:*",)):
        with pytest.raises(InvalidError) as caught:
            load(source, trusted_sources=patterns)
    assert caught.value.what == (
        f"'{source}' is not trusted: it is a command, and loading it would run any code that is in it."
    )
    assert caught.value.digest.startswith("sha256:")
    assert f"({caught.value.digest}), run: model-gate pin --trust {shlex.quote(source)} (or" in str(
        caught.value
    )
    assert not (tmp_path / "it-ran").exists()


def test_this_command_does_run_when_it_is_trusted(data, load, tmp_path):
    """Otherwise the test above would show nothing."""
    (tmp_path / "evil.py").write_text("open('it-ran', 'w')")
    with pytest.raises(EvaluationError, match="wrote nothing to its standard output"):
        load(f"exec:{PYTHON} evil.py x.joblib", trusted_sources=("exec:*",)).predict(data.rows, "label")
    assert (tmp_path / "it-ran").exists()


def test_a_pin_is_for_these_files(data, load, tmp_path):
    script = tmp_path / "score.py"
    script.write_text(CSV)
    source = f"exec+csv:{PYTHON} score.py"
    with pytest.raises(InvalidError) as refused:
        load(source)
    pinned = {source: refused.value.digest}
    model = load(source, pinned_models=pinned)
    assert model.digest == refused.value.digest
    assert len(model.predict(data.rows, "score")) == len(data.rows)
    script.write_text(CSV + "\n# changed")
    with pytest.raises(InvalidError, match="is not the command any more that it was when the gate started"):
        model.predict(data.rows.copy(), "probability")
    with pytest.raises(InvalidError, match=r"is not the model that was agreed: model-gate\.lock"):
        load(source, pinned_models=pinned)


@pytest.mark.parametrize("line", ["python -m nothing.here", "/bin/cat n.txt"])
def test_a_command_without_files_of_the_project_has_no_digest(line, load, tmp_path):
    (tmp_path / "m.txt").touch()
    with pytest.raises(InvalidError) as caught:
        load(f"exec:{line}")
    assert str(caught.value) == (
        f"'exec:{line}' is not trusted: it is a command, and names no file that could be pinned.\n"
        "  If you trust whatever it runs, add to [tool.model_gate] in pyproject.toml: "
        f'trusted_sources = ["exec:{line}"]'
    )


@pytest.mark.parametrize("word", ["../x.py", "a/../x.py", "--model=../x", "'../x y'"])
def test_a_command_that_climbs_is_no_trusted_source(word, load):
    with pytest.raises(InvalidError, match="is not trusted"):
        load(f"exec:python {word}", trusted_sources=("exec:python *",))


# ------------------------------------------------------------------------------------ what can be wrong


def said(run, data, script, error, form="exec+csv:", arguments=""):
    with pytest.raises(error) as caught:
        run(script, arguments, form).predict(data.rows, "probability")
    text = str(caught.value)
    assert all(len(line) < 400 for line in text.splitlines())
    return text.replace(PYTHON, "python")


def test_a_command_that_fails_says_its_last_line_without_secrets_and_rows(run, data, monkeypatch):
    monkeypatch.setenv("REGISTRY_TOKEN", "abcdef123456")
    value = float(data.rows["a"].iloc[0])
    text = said(
        run,
        data,
        "import os, sys\nprint('more', file=sys.stderr)\n"
        f"sys.exit('bad value {value!r} at https://u:p@host/x with ' + os.environ['REGISTRY_TOKEN'])",
        EvaluationError,
    )
    assert text == (
        "'exec+csv:python score.py' ended with exit status 1 while scoring 200 rows: "
        "bad value ... at https://***@host/x with ***.\n"
        "  Run it by hand in the project's root, with rows on its standard input."
    )


def test_a_command_that_is_killed(run, data):
    text = said(run, data, "import os\nos.kill(os.getpid(), 11)", EvaluationError)
    assert text.startswith(
        "'exec+csv:python score.py' ended by SIGSEGV while scoring 200 rows and said nothing."
    )


def test_a_command_that_hangs_is_ended_with_what_it_started(run, data, monkeypatch, tmp_path):
    monkeypatch.setenv("MODEL_GATE_EXEC_TIMEOUT", "1.5")
    text = said(
        run,
        data,
        "import subprocess, sys, time\nchild = subprocess.Popen([sys.executable, '-c', 'import time; "
        "time.sleep(60)'])\nopen('child', 'w').write(str(child.pid))\ntime.sleep(60)",
        EvaluationError,
    )
    assert text == (
        "'exec+csv:python score.py' took longer than 1.5 seconds while scoring 200 rows, and was ended.\n"
        "  Find out why; MODEL_GATE_EXEC_TIMEOUT is the number of seconds that it may take for one batch."
    )
    child = int((tmp_path / "child").read_text())
    assert _is_gone(child)


def _is_gone(pid: int) -> bool:
    for _ in range(100):
        status = Path(f"/proc/{pid}/stat")
        if not status.exists() or status.read_text().rpartition(")")[2].split()[0] == "Z":
            return True
        time.sleep(0.05)
    return False


def test_a_command_that_never_stops_writing(run, data):
    text = said(run, data, "while True: print('0.5' * 1000)", EvaluationError)
    assert "wrote more than 1,819,200 bytes while scoring 200 rows, and was ended." in text


@pytest.mark.parametrize("limit", ["soon", "0", "-1", "inf"])
def test_a_limit_that_is_none(limit, run, data, monkeypatch):
    monkeypatch.setenv("MODEL_GATE_EXEC_TIMEOUT", limit)
    assert said(run, data, CSV, ConfigurationError) == (
        f"MODEL_GATE_EXEC_TIMEOUT must be a number of seconds above 0, got '{limit}'.\n"
        "  Write for example MODEL_GATE_EXEC_TIMEOUT=60, or unset it."
    )


def test_too_few_predictions(run, data):
    text = said(run, data, "print(0.5)\nprint(0.6)", InvalidError)
    assert text == (
        "'exec+csv:python score.py' wrote 1 prediction for 200 rows.\n"
        "  Write one line for each row, in their order, and in CSV a first line with names."
    )


def test_what_is_no_table(run, data):
    script = "import sys\nsys.stdout.buffer.write(b'\\xff\\xff\\xff\\xff1234567')"
    text = said(run, data, script, InvalidError)
    assert text.startswith("'exec+csv:python score.py' wrote what is neither an Arrow IPC stream nor CSV: ")


def test_several_columns_that_are_no_numbers(run, data):
    script = "print('id,p')\nfor i in range(200): print(f'r{i},0.5')"
    assert said(run, data, script, InvalidError) == (
        "'exec+csv:python score.py' wrote 2 columns, and 'id' holds no numbers.\n"
        "  Write one column, or one column of probabilities for each class and no other."
    )


def test_a_program_that_is_not_there(load, tmp_path):
    with pytest.raises(UnavailableError) as caught:
        load("exec:no-such-program-here x", trusted_sources=("exec:*",))
    assert str(caught.value) == (
        "'exec:no-such-program-here x' cannot be run: there is no program 'no-such-program-here'.\n"
        "  A path starts at the project's root; any other name is looked for on PATH."
    )


@pytest.mark.skipif(os.name == "nt", reason="files have no executable bit there")
def test_a_program_of_the_project(data, load, tmp_path):
    script = tmp_path / "score"
    script.write_text(f"#!{sys.executable}\n{CSV}")
    with pytest.raises(UnavailableError) as caught:
        load("exec+csv:./score", trusted_sources=("exec+csv:./score",))
    assert str(caught.value) == (
        "'exec+csv:./score' cannot be run: './score' is no executable file.\n  Run: chmod +x ./score"
    )
    script.chmod(script.stat().st_mode | stat.S_IXUSR)
    model = load("exec+csv:./score", trusted_sources=("exec+csv:./score",))
    assert len(model.predict(data.rows, "probability")) == len(data.rows)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("exec:", "'exec:' names no command.\n  Write exec:program arguments."),
        (
            "exec:a 'b",
            "'exec:a 'b' cannot be split into a command and its arguments: No closing quotation.\n"
            "  Close every quote.",
        ),
    ],
)
def test_what_is_no_command(source, message, load):
    with pytest.raises(ConfigurationError) as caught:
        load(source)
    assert str(caught.value) == message
