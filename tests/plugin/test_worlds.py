"""The same project without pytest-xdist, with ``-n0`` and with ``-n2``: the same verdicts and reports."""

from __future__ import annotations

from gate_projects import BOTH, report_of

REPORT = """\
credit: pass   approve or decline
  candidate   predictions:scores.csv#good   sha256:{scores}
  production  predictions:scores.csv#poor   sha256:{scores}
  baseline    prior
  dataset     holdout.csv                   400 rows   sha256:{holdout}   pinned
"""


def test_the_report_is_the_same_everywhere(make_project):
    reports = []
    for world in ("plain", "n2"):
        project = make_project(world)
        project.write(test_gates=BOTH)
        result = project.run()
        assert result.ret != 0
        result.assert_outcomes(passed=1, failed=1)
        reports.append(report_of(result))
    assert reports[0] == reports[1]
    assert reports[0][-1] == "model gates: FAILED (worse REGRESSED)"
    assert [line for line in reports[0] if line.startswith(("credit", "worse"))] == [
        "credit: pass   approve or decline",
        "worse: REGRESSED",
    ]
