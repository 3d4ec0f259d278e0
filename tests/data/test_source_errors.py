"""Every way to name the wrong data, or data that is broken: one sentence and a remedy, never a traceback."""
# ruff: noqa: E501 - whole messages stay on one line, so that they can be searched for

from __future__ import annotations

import gzip
import sys

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pytest_model_gate.data.sources.builtin import model_gate_dataset
from pytest_model_gate.errors import EvaluationError, InvalidError, ModelGateError, UnavailableError
from pytest_model_gate.spec import SourceContext

FRAME = pd.DataFrame({"age": [41, 37, 29] * 50, "region": ["north", "south", "east"] * 50})


@pytest.fixture
def project(tmp_path):
    """A project with one good file of each kind."""
    data = tmp_path / "data"
    data.mkdir()
    FRAME.to_parquet(data / "holdout.parquet")
    FRAME.to_csv(data / "good.csv", index=False)
    FRAME.to_feather(data / "good.feather")
    FRAME.to_json(data / "good.jsonl", orient="records", lines=True)
    (data / "empty").mkdir()
    (data / "texts").mkdir()
    (data / "texts" / "readme.txt").write_text("hello")
    (data / "folder.csv").mkdir()
    (data / "book.xlsx").write_bytes(b"PK")
    (data / "LICENSE").write_text("free")
    return tmp_path


def failure(source, root):
    with pytest.raises(ModelGateError) as caught:
        dataset = model_gate_dataset(source, SourceContext(root=str(root)))
        list(dataset.batches())
    assert (
        caught.value.__suppress_context__
        or caught.value.__cause__ is not None
        or not caught.value.__context__
    )
    return type(caught.value), str(caught.value).replace(root.as_posix(), "<root>")


SUFFIXES = ".parquet, .csv, .csv.gz, .feather, .arrow, .jsonl, .ndjson"


@pytest.mark.parametrize(
    ("source", "kind", "message"),
    [
        (
            "data/holdut.parquet",
            UnavailableError,
            "data/holdut.parquet does not exist.\n  Did you mean 'data/holdout.parquet'?",
        ),
        (
            "dta/holdout.parquet",
            UnavailableError,
            "dta/holdout.parquet does not exist: there is no folder 'dta'.\n  Did you mean 'data'?",
        ),
        (
            "data/train/2024/x.parquet",
            UnavailableError,
            "data/train/2024/x.parquet does not exist: there is no folder 'data/train'.\n"
            "  Relative paths start from <root>.",
        ),
        (
            "data/train.parquet",
            UnavailableError,
            "data/train.parquet does not exist.\n  Relative paths start from <root>.",
        ),
        ("qqq.csv", UnavailableError, "qqq.csv does not exist.\n  Relative paths start from <root>."),
        (
            "data/book.xlsx",
            EvaluationError,
            "data/book.xlsx cannot be read: the suffix '.xlsx' says nothing about what it holds.\n"
            f"  Known: {SUFFIXES}. For anything else write python:package.module:load.",
        ),
        (
            "data/LICENSE",
            EvaluationError,
            "data/LICENSE cannot be read: a file without a suffix says nothing about what it holds.\n"
            f"  Known: {SUFFIXES}. For anything else write python:package.module:load.",
        ),
        ("data/empty", UnavailableError, "data/empty/ holds no Parquet files.\n  It is empty."),
        (
            "data/texts",
            UnavailableError,
            "data/texts/ holds no Parquet files.\n"
            "  It holds: readme.txt. Name one file, or a folder with *.parquet in it.",
        ),
        (
            "data/folder.csv",
            EvaluationError,
            "data/folder.csv is a folder; a csv file was meant, by its name.\n"
            "  Name the file, or a folder of Parquet files.",
        ),
        (
            "data/texts/part-*.parquet",
            UnavailableError,
            "data/texts/part-*.parquet matches no file.\n  texts/ holds: readme.txt.",
        ),
        (
            "data/empty/*.parquet",
            UnavailableError,
            "data/empty/*.parquet matches no file.\n  empty/ is empty.",
        ),
        (
            "nowhere/*.parquet",
            UnavailableError,
            "nowhere/*.parquet matches no file: there is no folder <root>/nowhere.\n  Check the path.",
        ),
        (
            "data/emp*",
            UnavailableError,
            "data/emp* matches folders, no file.\n  Write data/emp*/*.parquet.",
        ),
        (
            "data/good.*",
            EvaluationError,
            "data/good.* matches files that are not Parquet: good.csv, good.feather, good.jsonl.\n"
            "  A glob reads Parquet files only; end it with .parquet.",
        ),
    ],
)
def test_what_is_not_there(project, source, kind, message):
    assert failure(source, project) == (kind, message)


WRITE_AGAIN = "It may be incomplete or of another kind: write it again, or fetch it again."


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("empty.csv", b"", "empty.csv is empty: there is no header line.\n  Write it with a header."),
        (
            "twice.csv",
            b"a,b,a\n1,2,3\n",
            "twice.csv has more than one column named 'a'.\n"
            "  Rename or remove the duplicates: a gate names columns.",
        ),
        (
            "latin.csv",
            "name\nMüller\n".encode("latin1"),
            "latin.csv is not UTF-8: byte 0xfc cannot be decoded.\n"
            "  Save it as UTF-8, for example: iconv -f latin1 -t utf-8 latin.csv.",
        ),
        (
            "short.csv",
            b"a,b\n1,2\nsecret\n",
            "short.csv cannot be read as CSV: ArrowInvalid: CSV parse error: Row #3: Expected 2 columns, got 1.\n"
            f"  {WRITE_AGAIN}",
        ),
        (
            "long.csv",
            b"a,b\n1,2\n3,4,5\n",
            "long.csv cannot be read as CSV: ArrowInvalid: CSV parse error: Row #3: Expected 2 columns, got 3.\n"
            f"  {WRITE_AGAIN}",
        ),
        (
            "all-long.csv",
            b"a,b\n1,2,3\n3,4,5\n",
            "all-long.csv cannot be read as CSV: ArrowInvalid: CSV parse error: Row #2: Expected 2 columns, got 3.\n"
            f"  {WRITE_AGAIN}",
        ),
        (
            "plain.csv.gz",
            b"a,b\n1,2\n",
            f"plain.csv.gz cannot be read as CSV: BadGzipFile: Not a gzipped file (b'a,').\n  {WRITE_AGAIN}",
        ),
        (
            "cut.csv.gz",
            gzip.compress(b"a,b\n" + b"1,2\n" * 1000, mtime=0)[:-12],
            "cut.csv.gz cannot be read as CSV: EOFError: Compressed file ended before the end-of-stream marker "
            f"was reached.\n  {WRITE_AGAIN}",
        ),
        (
            "empty.jsonl",
            b"\n",
            "empty.jsonl is empty: it has no line, so no columns.\n  Write one JSON object per line.",
        ),
        (
            "cut.jsonl",
            b'{"a": 1}\n{"a": ',
            "cut.jsonl line 2 is not JSON: Expecting value at column 7.\n"
            "  Write one JSON object per line; a last line that is cut off means an incomplete file.",
        ),
        (
            "list.jsonl",
            b"[1, 2]\n",
            "list.jsonl line 1 is list, not an object.\n"
            '  Write one JSON object per line, such as {"age": 41, "default": 0}.',
        ),
        (
            "mixed.jsonl",
            b'{"a": 1}\n{"a": "x"}\n',
            "mixed.jsonl: column 'a' mixes types: int, str.\n"
            "  Give the column one type: its values cannot be compared or hashed reliably.",
        ),
        (
            "latin.jsonl",
            b'{"a": "\xfc"}\n',
            "latin.jsonl is not UTF-8: byte 0xfc cannot be decoded.\n"
            "  Save it as UTF-8, for example: iconv -f latin1 -t utf-8 latin.jsonl.",
        ),
    ],
)
def test_broken_text_files(tmp_path, name, content, message):
    (tmp_path / name).write_bytes(content)
    assert failure(name, tmp_path) == (InvalidError, message)


@pytest.mark.parametrize("name", ["holdout.parquet", "good.feather"])
@pytest.mark.parametrize("size", [0, 3, 200, -1, "other"])
def test_truncated_and_foreign_binary_files(project, name, size):
    path = project / "data" / name
    content = path.read_bytes()
    path.write_bytes(b"GIF89a" * 100 if size == "other" else content[:size])
    kind, message = failure(f"data/{name}", project)
    what = "Parquet" if name.endswith("parquet") else "Feather or Arrow"
    assert kind is InvalidError
    assert message.startswith(f"data/{name} cannot be read as {what}: ")
    assert message.endswith(f"\n  {WRITE_AGAIN}")
    assert message.count("\n") == 1


def test_a_page_of_parquet_that_is_damaged(project):
    path = project / "data" / "holdout.parquet"
    content = bytearray(path.read_bytes())
    content[4:80] = bytes(76)  # the footer stays good
    path.write_bytes(content)
    kind, message = failure("data/holdout.parquet", project)
    assert kind is InvalidError
    assert message.startswith("holdout.parquet cannot be read as Parquet: ")


def test_duplicate_names_in_parquet_and_feather(tmp_path):
    table = pa.table([pa.array([1]), pa.array([2])], names=["a", "a"])
    pq.write_table(table, tmp_path / "twice.parquet")
    with (
        pa.OSFile(str(tmp_path / "twice.arrow"), "wb") as sink,
        pa.ipc.new_file(sink, table.schema) as writer,
    ):
        writer.write_table(table)
    for name in ("twice.parquet", "twice.arrow"):
        assert failure(name, tmp_path) == (
            InvalidError,
            f"{name} has more than one column named 'a'.\n  Rename or remove the duplicates: a gate names columns.",
        )


@pytest.mark.parametrize(
    ("second", "message"),
    [
        (
            {"x": ["1"], "y": [1]},
            "*.parquet: column 'x' is int64 in 1.parquet and string in 2.parquet.\n"
            "  Write all files with the same types.",
        ),
        (
            {"x": [1]},
            "*.parquet: 1.parquet has a column 'y' and 2.parquet has none.\n"
            "  Write all files with the same columns.",
        ),
        (
            {"x": [1], "y": [1], "new": [1]},
            "*.parquet: 2.parquet has a column 'new' and 1.parquet has none.\n"
            "  Write all files with the same columns.",
        ),
    ],
)
def test_files_that_do_not_fit_together(tmp_path, second, message):
    pd.DataFrame({"x": [1], "y": [1]}).to_parquet(tmp_path / "1.parquet")
    pd.DataFrame(second).to_parquet(tmp_path / "2.parquet")
    assert failure("*.parquet", tmp_path) == (InvalidError, message)


def test_ordered_categories_that_contradict_each_other(tmp_path):
    for name, order in [("1.parquet", ["lo", "hi"]), ("2.parquet", ["hi", "lo"])]:
        pd.DataFrame({"c": pd.Categorical(["lo"], order, ordered=True)}).to_parquet(tmp_path / name)
    assert failure("*.parquet", tmp_path) == (
        InvalidError,
        "*.parquet: the ordered categories of 'c' differ between parts: lo, hi and hi, lo.\n"
        "  Write the column with one list of categories.",
    )


@pytest.fixture
def module(tmp_path, monkeypatch):
    """Write a module of the project; returns its name."""
    written = []

    def write(code):
        name = f"project_{tmp_path.name}_{len(written)}"
        (tmp_path / f"{name}.py").write_text(code, encoding="utf-8")
        written.append(name)
        return name

    yield write
    for name in written:
        sys.modules.pop(name, None)


FRAME_OR_TABLE = "a pandas DataFrame or a pyarrow Table was needed"


@pytest.mark.parametrize(
    ("code", "attribute", "kind", "message"),
    [
        ("load = 3", "load", EvaluationError,
         "'python:MODULE:load' is an object of type int, not a function; "
         f"{FRAME_OR_TABLE} from calling it.\n  Name a function (or another callable) that needs no arguments."),
        ("def load(): return {'a': [1]}", "load", EvaluationError,
         f"'python:MODULE:load' returned an object of type dict; {FRAME_OR_TABLE}.\n"
         "  Convert what it returns, for example with pandas.DataFrame(...) or .to_pandas()."),
        ("def load(): pass", "load", EvaluationError,
         f"'python:MODULE:load' returned nothing; {FRAME_OR_TABLE}.\n"
         "  Convert what it returns, for example with pandas.DataFrame(...) or .to_pandas()."),
        ("def load():\n    raise OSError('no such table\\nrow 1: secret')", "load", EvaluationError,
         "'python:MODULE:load' failed with OSError: no such table (MODULE.py, line 2).\n"
         "  Call it by itself to see the whole traceback."),
        ("def load():\n    raise SystemExit(1)", "load", EvaluationError,
         "'python:MODULE:load' failed with SystemExit: 1 (MODULE.py, line 2).\n"
         "  Call it by itself to see the whole traceback."),
        ("def load(path): pass", "load", EvaluationError,
         "'python:MODULE:load' failed with TypeError: load() missing 1 required positional argument: 'path'.\n"
         "  Call it by itself to see the whole traceback."),
        ("def load(): pass", "laod", UnavailableError,
         "'python:MODULE:laod' cannot be loaded: MODULE has no 'laod'.\n  Did you mean 'load'?"),
        ("_x = 1", "load", UnavailableError,
         "'python:MODULE:load' cannot be loaded: MODULE has no 'load'.\n  It has: nothing public."),
        ("x = 1\n1 / 0", "load", EvaluationError,
         "'python:MODULE:load' cannot be loaded: importing MODULE failed with ZeroDivisionError: division by zero "
         '(MODULE.py, line 2).\n  Run python -c "import MODULE" to see the whole traceback.'),
        ("def load(:\n", "load", EvaluationError,
         "'python:MODULE:load' cannot be loaded: importing MODULE failed with SyntaxError: invalid syntax "
         '(MODULE.py, line 1).\n  Run python -c "import MODULE" to see the whole traceback.'),
        ("import no_such_package_anywhere", "load", UnavailableError,
         "'python:MODULE:load' cannot be loaded: MODULE imports 'no_such_package_anywhere', which is not installed.\n"
         "  Install what it imports into the environment that runs the gate."),
        ("import pandas\ndef load(): return pandas.DataFrame([[1, 2]])", "load", InvalidError,
         "python:MODULE:load: column names must be text, got 0 (int).\n"
         "  Rename them: frame.columns = [str(name) for name in frame.columns]."),
        ("import pandas\ndef load(): return pandas.DataFrame([[1, 2]], columns=['a', 'a'])", "load", InvalidError,
         "python:MODULE:load has more than one column named 'a'.\n"
         "  Rename or remove the duplicates: a gate names columns."),
        ("import pandas\ndef load(): return pandas.DataFrame({'a': [1, 'x']})", "load", InvalidError,
         "python:MODULE:load: column 'a' mixes types: int, str.\n"
         "  Give the column one type: its values cannot be compared or hashed reliably."),
        ("import pandas\ndef load(): return pandas.DataFrame({'a': [2**70]})", "load", InvalidError,
         "python:MODULE:load: column 'a' has whole numbers that 64 bits cannot hold.\n"
         "  Write it as text where it names things, or in a larger unit where it counts."),
        ("import pandas\ndef load(): return pandas.DataFrame({'a': [1 + 2j]})", "load", InvalidError,
         "python:MODULE:load: column 'a' of type complex128 cannot be read: ArrowNotImplementedError: Unsupported "
         "numpy type 15.\n  Convert it to numbers, text, booleans, dates or a categorical."),
    ],
)  # fmt: skip
def test_functions_that_do_not_load(tmp_path, module, code, attribute, kind, message):
    name = module(code)
    found, said = failure(f"python:{name}:{attribute}", tmp_path)
    assert (found, said.replace(name, "MODULE")) == (kind, message)


@pytest.mark.parametrize(
    "source", ["python:", "python:json", "python:json:", "python:no way:x", "python:a.b:c:d"]
)
def test_functions_that_are_not_named(tmp_path, source):
    _, message = failure(source, tmp_path)
    assert message == (
        f"'{source}' does not name a Python object.\n  Write python:package.module:load, for example python:credit.data:load."
    )


def test_a_module_that_does_not_exist(tmp_path):
    assert failure("python:credit_x.data:load", tmp_path) == (
        UnavailableError,
        "'python:credit_x.data:load' cannot be loaded: there is no module 'credit_x'.\n"
        "  Modules are looked for on sys.path and in <root>.",
    )
    assert failure("python:json.nothing:load", tmp_path)[1].startswith(
        "'python:json.nothing:load' cannot be loaded: there is no module 'json.nothing'."
    )


def test_sys_path_is_as_it_was(tmp_path, module):
    before = list(sys.path)
    name = module(
        "import pandas\ndef load():\n    import sys\n    return pandas.DataFrame({'p': sys.path[-1:]})"
    )
    dataset = model_gate_dataset(f"python:{name}:load", SourceContext(root=str(tmp_path)))
    assert next(dataset.batches())["p"].tolist() == [str(tmp_path)]
    assert dataset.resolved == f"load in {name}.py"
    assert sys.path == before
