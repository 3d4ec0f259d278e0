"""Moving an alias on real registries: checked again before it moves, and never by two at once."""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from pytest_model_gate.errors import EvaluationError, InvalidError, UnavailableError, UnreachableError
from pytest_model_gate.gate.promoting import promote, roll_back
from pytest_model_gate.gate.promotion import Promotion
from pytest_model_gate.models.mlflow import identify
from pytest_model_gate.spec import SourceContext


def wish(registry, model: str = "credit", version: str = "2", expected: str = "1") -> Promotion:
    context = SourceContext(tracking_uri=registry.uri)
    return Promotion(
        model=model,
        version=version,
        alias="champion",
        expected=expected,
        digest=identify(f"models:/{model}/{version}", context).digest,
        gates=("credit",),
        datasets=(("holdout.parquet", "sha256:d"),),
        policies=(),
        tracking_uri=registry.uri,
        waived=(),
    )


def aliases(registry, model: str = "credit") -> dict[str, str]:
    return {
        name: str(version) for name, version in registry.client().get_registered_model(model).aliases.items()
    }


def test_there_and_back(registry) -> None:
    said = promote(wish(registry), dry_run=True)
    assert said == "credit@champion would move from version 1 to version 2"
    assert aliases(registry)["champion"] == "1"
    said = promote(wish(registry), reason="better in June", settle=0)
    assert said == "credit@champion moved from version 1 to version 2"
    assert aliases(registry) == {"champion": "2", "challenger": "2", "worse": "3"}
    note = json.loads(registry.client().get_model_version("credit", "2").tags["model_gate.promoted.champion"])
    assert (note["from"], note["why"], note["gates"], note["data"]) == (
        "1",
        "better in June",
        "credit",
        "sha256:d",
    )
    assert note["by"]
    assert note["when"].endswith("+00:00")
    assert promote(wish(registry), settle=0) == "credit@champion is version 2 already"
    promote(wish(registry, version="3", expected="2"), settle=0)
    uri = {"tracking_uri": registry.uri, "settle": 0}
    assert (
        roll_back("credit", "champion", dry_run=True, **uri)
        == "credit@champion would move back from version 3 to version 2"
    )
    assert roll_back("credit", "champion", **uri) == "credit@champion moved back from version 3 to version 2"
    assert roll_back("credit", "champion", **uri) == "credit@champion moved back from version 2 to version 1"
    with pytest.raises(UnavailableError) as found:
        roll_back("credit", "champion", **uri)
    assert f"{found.value.what} {found.value.remedy}" == (
        "Nothing is known of a version that the alias 'champion' of 'credit' pointed to before. "
        "Set it by hand in the registry: only moves by model-gate are remembered."
    )


def test_production_changed_meanwhile(registry) -> None:
    asked = wish(registry)
    registry.client().set_registered_model_alias("credit", "champion", "3")
    for dry_run in (True, False):
        with pytest.raises(EvaluationError) as found:
            promote(asked, dry_run=dry_run)
        assert f"{found.value.what} {found.value.remedy}" == (
            "credit@champion is version 3, and the gates compared with version 1: nothing was promoted. "
            "Run the gates again: they compare with what the alias means now."
        )
    assert aliases(registry)["champion"] == "3"


def test_the_alias_was_deleted(registry) -> None:
    asked = wish(registry)
    registry.client().delete_registered_model_alias("credit", "champion")
    with pytest.raises(
        EvaluationError, match=r"credit@champion is not there any more, and the gates compared with version 1"
    ):
        promote(asked)
    assert "champion" not in aliases(registry)


def test_a_first_release(registry) -> None:
    registry.client().delete_registered_model_alias("credit", "champion")
    assert (
        promote(wish(registry, expected=""), settle=0) == "credit@champion moved from no version to version 2"
    )
    assert aliases(registry)["champion"] == "2"


def test_other_files_than_were_judged(registry) -> None:
    from dataclasses import replace

    asked = replace(wish(registry), digest="sha256:other")
    with pytest.raises(
        InvalidError, match=r"Version 2 of credit has other files than those that were judged"
    ):
        promote(asked)
    assert aliases(registry)["champion"] == "1"


def test_a_version_that_was_deleted(registry) -> None:
    asked = wish(registry)
    registry.client().delete_model_version("credit", "2")
    with pytest.raises(UnavailableError, match="The model 'credit' has no version 2 in the registry"):
        promote(asked)
    assert aliases(registry)["champion"] == "1"


def test_a_dead_server(unused_port: int, registry) -> None:
    from dataclasses import replace

    asked = replace(wish(registry), tracking_uri=f"http://127.0.0.1:{unused_port}")
    with pytest.raises(UnreachableError, match="cannot be reached"):
        promote(asked)


@pytest.mark.mlflow_server
def test_two_at_once_on_a_server(named: Callable[[str], object]) -> None:
    """Both judged against version 1; whoever comes second has judged against what is gone."""
    registry = named("race")
    wishes = [wish(registry, "race", version) for version in ("2", "3")]

    def attempt(asked: Promotion) -> str:
        try:
            return promote(asked)
        except EvaluationError as error:
            return f"refused: {error}"

    with ThreadPoolExecutor(2) as pool:
        said = list(pool.map(attempt, wishes))
    moved = [text for text in said if not text.startswith("refused")]
    assert len(moved) == 1, said
    assert moved == [f"race@champion moved from version 1 to version {aliases(registry, 'race')['champion']}"]
