"""The shell commands on real projects: what they print, what they write, and their exit status."""

from __future__ import annotations

import hashlib
import random
import subprocess
import sys
from pathlib import Path

import pytest

from pytest_model_gate.cli import main
from pytest_model_gate.cli.parser import COMMANDS
from pytest_model_gate.data.pins import short_digest

GATES = """
[gates.credit]
candidate = "predictions:scores.csv#p"
production = "none"
baseline = "prior"
dataset = "holdout.csv"
target = "y"
key = "id"
metrics = ["roc_auc"]

[gates.again]
candidate = "predictions:scores.csv#p"
production = "none"
baseline = "prior"
dataset = "holdout.csv"
target = "y"
key = "id"
metrics = ["log_loss"]
"""

TESTS = """
import pytest

gates = [pytest.param(name, marks=pytest.mark.model_gate(name)) for name in ("credit", "again")]

@pytest.mark.parametrize("gate", gates)
def test_gate(gate):
    raise AssertionError("no test is run")
"""

PLUGINS = ("-p", "no:hypothesispytest", "-p", "no:typeguard", "-p", "no:cacheprovider")


@pytest.fixture
def project(tmp_path, monkeypatch) -> Path:
    rng = random.Random(3)
    rows = [(number, int(rng.random() < 0.4)) for number in range(60)]
    (tmp_path / "holdout.csv").write_text("id,y\n" + "".join(f"{n},{y}\n" for n, y in rows))
    (tmp_path / "scores.csv").write_text("id,p\n" + "".join(f"{n},{0.3 + 0.3 * y}\n" for n, y in rows))
    (tmp_path / "model_gate.toml").write_text(GATES)
    (tmp_path / "test_gates.py").write_text(TESTS)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PYTEST_ADDOPTS", raising=False)
    return tmp_path


@pytest.fixture(scope="session")
def bytecode(tmp_path_factory) -> Path:
    """Where the subprocesses of all tests share what they compiled."""
    return tmp_path_factory.mktemp("bytecode")


@pytest.fixture
def shell(project, bytecode, monkeypatch):
    """Run a command in a process of its own, because it collects tests."""
    monkeypatch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)
    monkeypatch.setenv("PYTHONPYCACHEPREFIX", str(bytecode))

    def shell(*arguments: str) -> tuple[int, list[str], str]:
        done = subprocess.run(
            [sys.executable, "-m", "pytest_model_gate", *arguments],
            cwd=project,
            capture_output=True,
            encoding="utf-8",
            timeout=120,
            check=False,
        )
        return done.returncode, done.stdout.splitlines(), done.stderr

    return shell


def pin(shell, *arguments: str):
    return shell("pin", *arguments, *PLUGINS)


def test_the_life_of_a_pin(shell, project):
    lock = project / "model-gate.lock"
    status, out, _ = pin(shell, "--check")
    assert (status, lock.exists()) == (1, False)
    assert out == [
        "INVALID    pin: unpinned",
        "  holdout.csv is not pinned in model-gate.lock.",
        "  next: Run `model-gate pin` (or `pytest --gate-pin`) and commit model-gate.lock.",
    ]

    status, out, _ = pin(shell)
    assert status == 0
    assert out[0].startswith("pinned     holdout.csv (gate credit, again): 60 rows, sha256:")
    assert out[1:] == ["model-gate.lock was written: commit it."]
    written = lock.read_bytes()

    assert pin(shell) == (0, ["unchanged  holdout.csv (gate credit, again)"], "")
    assert lock.read_bytes() == written
    assert pin(shell, "--check") == (0, ["unchanged  holdout.csv (gate credit, again)"], "")

    with (project / "holdout.csv").open("a") as file:
        file.write("60,1\n")
    status, out, _ = pin(shell, "--check")
    assert (status, lock.read_bytes()) == (1, written)
    assert out[0] == "INVALID    pin: changed"
    assert "rows 60 -> 61" in out[1].lower()

    status, out, _ = pin(shell)
    assert status == 0
    assert out[0].startswith("changed    holdout.csv (gate credit, again): 60 rows, sha256:")
    assert " -> 61 rows, sha256:" in out[0]
    assert lock.read_bytes() != written


def test_what_changed_since_it_was_pinned(shell, project):
    assert pin(shell, "--diff")[0] == 1
    assert pin(shell)[0] == 0
    digest = short_digest(f"sha256:{hashlib.sha256((project / 'holdout.csv').read_bytes()).hexdigest()}")
    status, lines, _ = pin(shell, "--diff")
    assert (status, lines) == (0, [f"unchanged  holdout.csv (gate credit, again): 60 rows, {digest}"])
    old = (project / "holdout.csv").read_text()
    (project / "former.csv").write_text(old)
    lines = old.splitlines()
    changed = [line.replace(",1", ",0") if line.startswith(("1,", "2,")) else line for line in lines[:-5]]
    (project / "holdout.csv").write_text("\n".join([*changed, "90,1", "91,0"]) + "\n")
    status, lines, error = pin(shell, "--diff")
    assert (status, error) == (1, "")
    assert lines[0] == "changed    holdout.csv (gate credit, again)"
    assert lines[3:5] == [
        "  rows     the pinned content is neither here nor in the history of git",
        "           (--against SOURCE names a dataset that holds the former rows)",
    ]
    status, lines, _ = pin(shell, "--diff", "--against", "former.csv")
    changes = sum(line.startswith(("1,", "2,")) and line.endswith(",1") for line in old.splitlines())
    assert status == 1
    assert lines[3] == (
        f"  rows     2 added, 5 removed, {changes} changed by id, {55 - changes} as before"
        f"   (compared with former.csv ({digest}))"
    )
    assert [line.split() for line in lines if line.split()[:2] == ["id", "highest"]] == [
        ["id", "highest", "59", "91"]
    ]
    former = (project / "model-gate.lock").read_text()
    assert pin(shell, "--diff", "--against", "nowhere.csv")[0] == 1
    assert (project / "model-gate.lock").read_text() == former


def test_former_rows_come_from_the_history_of_git(shell, project):
    def git(*words: str) -> None:
        who = ("-c", "user.email=a@b.example", "-c", "user.name=a")
        subprocess.run(["git", *who, *words], cwd=project, check=True, capture_output=True)

    git("init", "-q")
    pin(shell)
    git("add", "holdout.csv")
    git("commit", "-qm", "first")
    text = (project / "holdout.csv").read_text()
    (project / "holdout.csv").write_text(text + "60,1\n")
    git("commit", "-qam", "second")
    status, lines, _ = pin(shell, "--diff")
    assert status == 1
    assert lines[3].startswith(
        "  rows     1 added, 0 removed, 0 changed by id, 60 as before   (compared with commit "
    )


def test_looking_at_a_dataset(shell, project, capsys):
    positive = (project / "holdout.csv").read_text().count(",1\n")
    assert main(["data", "show"]) == 0
    assert capsys.readouterr().out == (
        "No dataset is pinned here: there is no model-gate.lock with one. Run model-gate pin.\n"
    )
    assert main(["data", "show", "holdout.csv"]) == 0
    shown = capsys.readouterr().out.splitlines()
    assert shown[0] == "holdout.csv"
    assert shown[1].startswith("  60 rows, 2 columns   sha256:")
    assert shown[1].endswith("   unpinned")
    assert [line.split() for line in shown[3:]] == [
        ["column", "type", "missing", "lowest", "highest", "mean"],
        ["id", "int64", "0", "0", "59", "29.5"],
        ["y", "int64", "0", "0", "1", f"{positive / 60:.6g}"],
    ]
    pin(shell)
    assert main(["data", "show", "holdout.csv"]) == 0
    assert capsys.readouterr().out.splitlines()[1].endswith("   pinned")
    assert main(["data", "show"]) == 0
    first, second = capsys.readouterr().out.splitlines()
    assert first == "holdout.csv"
    assert second.startswith("  60 rows, 2 columns   sha256:")
    assert main(["data", "show", "nowhere.csv"]) == 2
    assert capsys.readouterr().err.startswith("model-gate: error: nowhere.csv does not exist.")


def test_arguments_for_pytest_select_gates(shell):
    status, out, _ = pin(shell, "-k", "again", "test_gates.py")
    assert status == 0
    assert out[0].startswith("pinned     holdout.csv (gate again): ")


def test_a_dataset_that_is_not_there(shell, project):
    (project / "holdout.csv").unlink()
    status, out, _ = pin(shell)
    assert status == 1
    assert out[0] == "ERROR      dataset: holdout.csv does not exist."
    assert len(out) == 2
    assert out[1].startswith("  next: ")


def test_no_gates(shell, project):
    (project / "test_gates.py").write_text("def test_plain(): pass\n")
    status, out, err = pin(shell, "test_gates.py")
    assert (status, out) == (2, [])
    assert err == (
        "model-gate: error: pytest collected no gate here: there is nothing to pin.\n"
        "  Mark a test with @pytest.mark.model_gate, or give the folder that holds the gates.\n"
    )


def test_gates_that_cannot_be_collected(shell, project):
    (project / "model_gate.toml").write_text(GATES + "metric = 3\n")
    status, out, err = pin(shell)
    assert (status, out) == (2, [])
    assert err.startswith("model-gate: error: pytest could not collect the gates:\n\n")
    assert "model_gate.toml [gates.again]: unknown key 'metric'." in err
    assert "Traceback" not in err


def test_an_argument_that_pytest_does_not_know(shell):
    status, out, err = pin(shell, "--nonsense")
    assert (status, out) == (2, [])
    assert "--nonsense" in err


@pytest.fixture
def pickled(project):
    """A gate whose candidate is a pickle."""
    import joblib
    from sklearn.dummy import DummyClassifier

    joblib.dump(DummyClassifier().fit([[0], [1]], [0, 1]), project / "model.joblib")
    text = GATES.replace("predictions:scores.csv#p", "model.joblib", 1)
    (project / "model_gate.toml").write_text(text)
    return project


def test_trusting_a_model(shell, pickled):
    status, out, _ = pin(shell, "--trust", "model.joblib")
    assert status == 0
    assert out[0].startswith("trusted    model.joblib: sha256:")
    lock = (pickled / "model-gate.lock").read_text()
    assert '[models."model.joblib"]' in lock
    # Trusted once, and then something else was put there: asked for again, it is the new one.
    (pickled / "model.joblib").write_bytes((pickled / "model.joblib").read_bytes() + b"x")
    assert pin(shell, "--trust", "model.joblib")[0] == 0
    assert (pickled / "model-gate.lock").read_text() != lock


def test_trusting_a_model_does_not_run_it(shell, pickled):
    import pickle

    class Evil:
        def __reduce__(self):
            return Path.touch, (pickled / "it-ran",)

    (pickled / "model.joblib").write_bytes(pickle.dumps(Evil()))
    assert pin(shell, "--trust", "model.joblib")[0] == 0
    assert not (pickled / "it-ran").exists()


def test_trusting_what_no_gate_has(shell, pickled):
    status, out, err = pin(shell, "--trust", "modle.joblib")
    assert (status, out) == (2, [])
    assert err == (
        "model-gate: error: --trust modle.joblib: no collected gate has that model.\n"
        "  Did you mean 'model.joblib'? A model that only an option of pytest names is trusted with that "
        "option: model-gate pin --trust modle.joblib --gate-candidate modle.joblib\n"
    )


def test_trusting_what_only_an_option_names(shell, pickled):
    (pickled / "new.joblib").write_bytes((pickled / "model.joblib").read_bytes())
    assert pin(shell, "--trust", "new.joblib")[0] == 2
    status, out, err = pin(shell, "--trust", "new.joblib", "--gate-candidate", "credit=new.joblib")
    assert (status, err) == (0, "")
    assert out[0].startswith("trusted    new.joblib: sha256:")


def test_trusting_writes_and_checking_does_not(capsys):
    assert main(["pin", "--check", "--trust", "a"]) == 2
    assert capsys.readouterr().err == (
        "model-gate: error: --check writes nothing, and --trust writes a pin.\n  Give one of the two.\n"
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["pni"], "'pni' is no command. Did you mean 'pin'?"),
        (["nonsense"], f"'nonsense' is no command. Known: {', '.join(sorted(COMMANDS))}."),
        (
            ["report", "a.json", "--wide"],
            "report takes no argument '--wide'. See model-gate report --help.",
        ),
        (
            ["report", "nowhere.json"],
            "nowhere.json: cannot be read as a report of model gates: No such file or directory.\n"
            "  Reports are written by pytest --gate-report FILE.json.",
        ),
    ],
)
def test_a_wrong_use(capsys, tmp_path, monkeypatch, arguments, message):
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == 2
    assert capsys.readouterr() == ("", f"model-gate: error: {message}\n")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{", "Expecting property name enclosed in double quotes: line 1 column 2 (char 1)"),
        ("{}", "a report of schema version 1 was needed, got None"),
        ('{"schema_version": 1}', "not a report: 'records'"),
        ("[]", "a report of schema version 1 was needed, got None"),
    ],
)
def test_a_file_that_is_no_report(capsys, tmp_path, monkeypatch, text, reason):
    monkeypatch.chdir(tmp_path)
    Path("a.json").write_text(text)
    assert main(["report", "a.json"]) == 2
    assert capsys.readouterr().err.splitlines()[0] == (
        f"model-gate: error: a.json: cannot be read as a report of model gates: {reason}."
    )


def test_no_command(capsys):
    assert main([]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    usage = f"usage: model-gate [-h] [--version] {{{','.join(COMMANDS)}}} ..."
    assert " ".join(err.split()).startswith(usage)
