"""The JSON report: whole, readable again, and never half written."""

from __future__ import annotations

import json
import os
import stat

import pytest
from report_records import FULL, INVALID, judged, record

from pytest_model_gate.report import json as report
from pytest_model_gate.report.run import Run


def test_a_report_is_read_back(tmp_path):
    report.write(tmp_path / "out.json", report.dumps(FULL))
    assert report.read(tmp_path / "out.json") == FULL


def test_a_record_of_several_tests_is_written_once():
    run = Run(tested=(judged(record(), test="a"), judged(record(), INVALID, test="b")))
    document = json.loads(report.dumps(run))
    assert len(document["records"]) == 2
    assert [test["records"] for test in document["tests"]] == [[0], [0, 1]]
    assert report.loads(report.dumps(run)) == run


def test_text_that_is_no_utf8(tmp_path):
    run = Run(tested=(judged(record(gate="a\ud800b\u202e")),))
    report.write(tmp_path / "out.json", report.dumps(run))
    assert report.read(tmp_path / "out.json") == run


def test_a_report_is_replaced_in_one_step(tmp_path, monkeypatch):
    path = tmp_path / "out.json"
    report.write(path, "old")

    def fail(*_args, **_more):
        raise OSError("disk full")

    monkeypatch.setattr(os, "fdopen", fail)
    with pytest.raises(OSError, match="disk full"):
        report.write(path, "new")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_report_is_for_everybody_to_read(tmp_path):
    before = os.umask(0o022)
    try:
        report.write(tmp_path / "deep" / "out.json", "x")
    finally:
        os.umask(before)
    mode = stat.S_IMODE((tmp_path / "deep" / "out.json").stat().st_mode)
    assert mode == 0o644 or os.name == "nt"


def test_lines_end_alike_everywhere(tmp_path):
    report.write(tmp_path / "out.json", report.dumps(FULL))
    assert b"\r" not in (tmp_path / "out.json").read_bytes()
