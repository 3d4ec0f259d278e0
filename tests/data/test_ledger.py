"""The ledger's file: one way to write it, every damage named by its line, no line lost among processes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from pytest_model_gate.data import ledger_file
from pytest_model_gate.data.checkout import head_commit
from pytest_model_gate.data.ledger import LEDGER_NAME, Content, Reset, Use, of_dataset, parse, render
from pytest_model_gate.data.ledger_file import held
from pytest_model_gate.errors import ConfigurationError, UnavailableError

DATASET = "sha256:" + "ab" * 32


def use(**changes) -> Use:
    values = {
        "dataset": DATASET,
        "source": "data/holdout.parquet",
        "rows": 30_000,
        "gate": "credit",
        "model": "models:/credit/12",
        "config": "sha256:" + "cd" * 32,
        "candidate": "sha256:" + "ef" * 32,
        "limits": {"regression roc_auc": "all: 0.005"},
        "number": 7,
        "passes": 0,
        "budget": 20,
        "spending": "equal",
        "level": 0.05,
        "alpha": 0.0025,
        "feedback": "full",
        "period": 0,
        "verdict": "pass",
        "date": "2030-01-31T10:00:00Z",
        "commit": "",
    }
    return Use(**{**values, **changes})


RESET = Reset(
    dataset=DATASET,
    source="data/holdout.parquet",
    period=1,
    reason="neue Etiketten für März\u2028",
    date="2030-02-01T10:00:00Z",
    commit="",
)


def read_ledger(path: Path) -> list:
    return parse(path.read_bytes())


# -- lines -------------------------------------------------------------------------------------------------


def test_a_line_is_canonical():
    line = render(use(limits={"b": "2", "a": "1"}))
    assert line == json.dumps(json.loads(line), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert '"kind":"use"' in line
    assert '"version":1' in line
    assert "\n" not in line


def test_lines_come_back():
    entries = [use(), use(budget=None, spending="decreasing", alpha=0.001), RESET]
    found = parse("\n".join(map(render, entries)).encode() + b"\n")
    assert [entry._replace(line=0) for entry in found] == entries
    assert [entry.line for entry in found] == [1, 2, 3]


CONTENT = Content(
    dataset=DATASET,
    source="data/holdout.parquet",
    rows=30_000,
    digest="sha256:" + "ba" * 32,
    sketches=[{"columns": ["age", "Größe"], "distinct": 29_000, "words": "00" * 16}],
    shared={"sha256:" + "dc" * 32: 0.98},
    date="2030-02-01T10:00:00Z",
    commit="",
)


def test_a_line_about_rows_comes_back():
    line = render(CONTENT)
    assert '"kind":"rows"' in line
    assert '"version":2' in line  # earlier versions of the program say that it is newer than they are
    (found,) = parse(line.encode())
    assert found._replace(line=0) == CONTENT
    assert [sketch.words for sketch in found.kept] == [(0, 0)]


def test_what_editors_and_merges_do_to_a_file_changes_nothing():
    lines = [render(use(number=n)) for n in (1, 2, 3)]
    plain = parse("\n".join(lines).encode())
    spaced = json.dumps(dict(reversed(json.loads(lines[2]).items())), indent=None)
    changed = "\r\n".join(
        [spaced, "", lines[1], lines[0], lines[1], ""]
    )  # unsorted, twice, CRLF, other spaces
    assert sorted(entry._replace(line=0) for entry in parse(changed.encode())) == sorted(
        entry._replace(line=0) for entry in plain
    )


RESTORE = (
    "\n  Take the line from the last commit (git diff shows what changed), or delete it if the run that "
    "wrote it was cut off: then it was never reported."
)
MERGE = (
    "\n  Keep the lines of both sides and delete only the marks. "
    'With "model-gate.ledger.jsonl merge=union" in .gitattributes git does that itself.'
)
GOOD = render(use())
ROWS = render(CONTENT)


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (GOOD[:30], f"is no JSON object: {GOOD[:30]}.{RESTORE}"),
        ("<<<<<<< HEAD", f"is a mark of a merge conflict.{MERGE}"),
        ("=======", f"is a mark of a merge conflict.{MERGE}"),
        (">>>>>>> feature", f"is a mark of a merge conflict.{MERGE}"),
        (
            GOOD.replace('"version":1', '"version":3'),
            "was written by a newer pytest-model-gate (format 3, known is 2).\n"
            "  Install that version here, too.",
        ),
        ("[]", f"is no line of a ledger: [].{RESTORE}"),
        ('{"a":1},{"b":2}', f'is no JSON object: {{"a":1}},{{"b":2}}.{RESTORE}'),
        ('{"kind":"use","version":1}', f"lacks the key 'alpha'.{RESTORE}"),
        ('{"kind":"loan","version":1}', f'is no line of a ledger: {{"kind":"loan","version":1}}.{RESTORE}'),
        (GOOD.replace('"commit"', '"comit"'), f"has the unknown key 'comit'.{RESTORE}"),
        (GOOD.replace('"number":7', '"number":"7"'), f"has the wrong number: '7'.{RESTORE}"),
        (GOOD.replace('"number":7', '"number":true'), f"has the wrong number: True.{RESTORE}"),
        (ROWS.replace("0.98", "1.5"), f"has the wrong shared: {{'sha256:{'dc' * 14}....{RESTORE}"),
        (
            ROWS.replace('"distinct":29000,', ""),
            f"has the wrong sketches: {{'columns': ['age', 'Größe'], 'words'....{RESTORE}",
        ),
        (
            ROWS.replace("00" * 16, "0x" * 16),
            f"has the wrong sketches: {{'columns': ['age', 'Größe'], 'distin....{RESTORE}",
        ),
        (ROWS.replace('"version":2', '"version":1'), f"is no line of a ledger: {ROWS[:37]}....{RESTORE}"),
        (GOOD.replace('"alpha":0.0025', '"alpha":null'), f"has the wrong alpha: None.{RESTORE}"),
    ],
)
def test_a_line_that_cannot_be_read_is_named(bad, message):
    content = "\n".join([render(use(number=1)), bad, render(use(number=3))])
    with pytest.raises(ConfigurationError) as error:
        parse(content.encode())
    assert str(error.value) == f"{LEDGER_NAME} line 2 {message}"


def test_bytes_that_are_no_text():
    with pytest.raises(ConfigurationError, match=r"line 2 is not UTF-8\."):
        parse(GOOD.encode() + b"\n\xff\xfe\n")


def test_names_that_no_utf_8_can_hold(tmp_path):
    odd = use(model="\udc80.skops")
    with held(tmp_path / LEDGER_NAME) as file:
        file.append(odd)
    (found,) = read_ledger(tmp_path / LEDGER_NAME)
    assert found.model == odd.model


def test_the_order_of_lines_is_that_of_their_dates():
    late, early = use(date="2030-03-01T00:00:00Z"), use(date="2030-01-01T00:00:00Z", number=2)
    same = use(date="2030-01-01T00:00:00Z", number=10)
    other = use(dataset="sha256:00")
    for order in ([late, early, RESET, same, other], [other, same, RESET, late, early]):
        assert of_dataset(order, DATASET) == [early, same, RESET, late]


# -- the file ----------------------------------------------------------------------------------------------


def test_append_only(tmp_path):
    path = tmp_path / LEDGER_NAME
    for number in (1, 2):
        with held(path) as file:
            assert len(file.entries()) == number - 1
            file.append(use(number=number))
    assert path.read_text() == "".join(f"{render(use(number=n))}\n" for n in (1, 2))
    assert [file.name for file in tmp_path.iterdir()] == [LEDGER_NAME]  # no other file lies beside it


def test_a_last_line_without_an_end_gets_one(tmp_path):
    path = tmp_path / LEDGER_NAME
    path.write_text(render(use(number=1)))
    with held(path) as file:
        file.append(use(number=2))
    assert [entry.number for entry in read_ledger(path)] == [1, 2]


def test_a_full_disk_leaves_the_file_as_it_was(tmp_path, monkeypatch):
    path = tmp_path / LEDGER_NAME
    path.write_text(f"{render(use(number=1))}\n")
    before, write = path.read_bytes(), os.write
    monkeypatch.setattr(ledger_file.os, "write", lambda handle, line: write(handle, line[:40]))
    with held(path) as file, pytest.raises(UnavailableError, match="no space left for a whole line"):
        file.append(use(number=2))
    monkeypatch.undo()
    assert path.read_bytes() == before


def test_somebody_replaces_the_file_meanwhile(tmp_path):
    path = tmp_path / LEDGER_NAME
    with held(path) as file:
        (tmp_path / "new").write_text("")
        (tmp_path / "new").replace(path)
        with pytest.raises(UnavailableError, match="was replaced while a use was written into it"):
            file.append(use())


def test_the_file_that_git_puts_in_its_place_is_the_ledger(tmp_path, monkeypatch):
    path = tmp_path / LEDGER_NAME
    path.write_text("")
    lock = ledger_file._lock

    def slow(handle, path, end):
        monkeypatch.setattr(ledger_file, "_lock", lock)
        (tmp_path / "new").write_text(f"{render(use(number=1))}\n")
        (tmp_path / "new").replace(path)
        lock(handle, path, end)

    monkeypatch.setattr(ledger_file, "_lock", slow)
    with held(path) as file:
        assert len(file.entries()) == 1


def test_others_hold_it_all_the_time(tmp_path):
    path = tmp_path / LEDGER_NAME
    always = "held by another process all the time"
    with held(path), pytest.raises(UnavailableError, match=always), held(path, patience=0.02):
        pass
    with held(path, patience=0.02):  # it was given back
        pass


AS_NOBODY = """
import os, sys
from pathlib import Path
from pytest_model_gate.data.ledger_file import held
from pytest_model_gate.errors import ModelGateError
if os.getuid() == 0:  # root may write everywhere
    os.setuid(65534)
try:
    with held(Path(sys.argv[1])) as file:
        print(len(file.entries()))
        file.append(file.entries()[0])
except ModelGateError as error:
    print(error)
"""

COUNTED_WHERE_SEEN = "  Uses have to be counted where they are seen: run it where the file can be written.\n"


@pytest.fixture
def read_only():
    """Make a folder that nobody can write into, and say what happens to who tries."""
    if os.name != "posix":
        pytest.skip("needs POSIX permissions")
    with tempfile.TemporaryDirectory() as name:

        def try_it(content: str | None) -> str:
            path = Path(name) / LEDGER_NAME
            if content is not None:
                path.write_text(content)
                path.chmod(0o444)
            Path(name).chmod(0o555)
            done = subprocess.run(
                [sys.executable, "-c", AS_NOBODY, str(path)],
                capture_output=True,
                text=True,
                check=False,
                timeout=60,
            )
            return (done.stdout + done.stderr).replace(str(path), LEDGER_NAME)

        yield try_it
        Path(name).chmod(0o755)


def test_a_folder_that_cannot_be_written(read_only):
    assert read_only(None) == f"{LEDGER_NAME} cannot be written: Permission denied.\n{COUNTED_WHERE_SEEN}"


def test_a_ledger_that_can_only_be_read(read_only):
    assert read_only(f"{GOOD}\n") == f"1\n{LEDGER_NAME} is read-only.\n{COUNTED_WHERE_SEEN}"


#: Four of these begin at the same time.
COUNT = """
import os, sys, time
from pathlib import Path
path = Path(sys.argv[1])
sys.path.insert(0, sys.argv[2])
from test_ledger import use
from pytest_model_gate.data import ledger_file
if sys.argv[3] == "alone":
    ledger_file._try_lock = lambda _: True
(path.parent / f"ready-{os.getpid()}").touch()
while len(list(path.parent.glob("ready-*"))) < 4:
    time.sleep(0.01)
for _ in range(40):
    with ledger_file.held(path) as file:
        file.append(use(number=len(file.entries()) + 1))
"""


def four_at_once(path: Path, how: str) -> list[int]:
    command = [sys.executable, "-c", COUNT, str(path), str(Path(__file__).parent), how]
    running = [subprocess.Popen(command, stderr=subprocess.DEVNULL) for _ in range(4)]
    return [process.wait(timeout=120) for process in running]


def test_processes_that_write_at_once_lose_nothing(tmp_path):
    path = tmp_path / LEDGER_NAME
    assert four_at_once(path, "locked") == [0] * 4
    assert [entry.number for entry in read_ledger(path)] == list(range(1, 161))


def test_without_the_lock_they_do(tmp_path):
    """The negative control: some see half a line and give up, others count the same use twice."""
    path = tmp_path / LEDGER_NAME
    four_at_once(path, "alone")
    assert len({entry.number for entry in read_ledger(path)}) < 160


def test_a_process_that_is_killed_gives_the_file_back(tmp_path):
    path = tmp_path / LEDGER_NAME
    script = (
        "import sys, time\nfrom pathlib import Path\nfrom pytest_model_gate.data.ledger_file import held\n"
        "with held(Path(sys.argv[1])):\n    print('held', flush=True)\n    time.sleep(60)\n"
    )
    process = subprocess.Popen([sys.executable, "-c", script, str(path)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    process.kill()
    process.wait(timeout=60)
    process.stdout.close()
    with held(path, patience=5):
        pass


# -- the commit --------------------------------------------------------------------------------------------


def git(folder: Path, *arguments: str) -> str:
    return subprocess.run(
        ["git", "-c", "user.name=a", "-c", "user.email=a@example.com", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    ).stdout.strip()


def test_the_commit_of_a_checkout(tmp_path):
    repository = tmp_path / "repository"
    (repository / "models").mkdir(parents=True)
    assert head_commit(repository / "models") == ""
    git(repository, "init", "-q")
    assert head_commit(repository / "models") == ""  # nothing is committed yet
    git(repository, "commit", "-q", "--allow-empty", "-m", "one")
    first = git(repository, "rev-parse", "HEAD")
    assert head_commit(repository / "models") == first
    git(repository, "worktree", "add", "-q", "-b", "feature", str(tmp_path / "feature"))
    git(tmp_path / "feature", "commit", "-q", "--allow-empty", "-m", "two")
    second = git(tmp_path / "feature", "rev-parse", "HEAD")
    assert head_commit(tmp_path / "feature") == second != first
    git(repository, "pack-refs", "--all")
    assert head_commit(repository) == first
    assert head_commit(tmp_path / "feature") == second
    git(repository, "checkout", "-q", "--detach", second)
    assert head_commit(repository) == second


def test_a_checkout_that_is_broken_has_no_commit(tmp_path):
    (tmp_path / ".git").write_text("gitdir: ../nowhere\n")
    assert head_commit(tmp_path) == ""
