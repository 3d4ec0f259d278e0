"""Run the whole grid and write what was counted: ``python full_grid.py --jobs 2 --out results.json``.

Every place starts with the same number of simulated holdouts. Where a metric is wrong more often than is
allowed there, four times as many are drawn, and sixteen times where it still is, unless that is certain: no
place is judged by bad luck. What is drawn depends on the place only, and not on the processes.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass, field
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

from allowances import allowance, errors, exceeds
from grid import Place, metric_of, places
from trials import Tally, holdouts, questions, run

#: Multiples of the first number of holdouts, at which a place is looked at again.
STAGES = (1, 4, 16)

#: About as many rates are tested together.
TESTS = 100_000

#: Large samples cost most and surprise least.
LARGE, LARGE_SHARE = 10_000, 0.5


@dataclass(kw_only=True)
class Result:
    """One metric at one place, asked one kind of question."""

    metric: str
    world: str
    n: int
    layout: str
    setting: dict[str, float | str]
    kind: str
    allowed: float
    tally: Tally = field(default_factory=Tally)

    @property
    def undecided(self) -> bool:
        """Whether more errors were counted than are allowed, but not so many that it is certain."""
        n = self.tally.repetitions
        return any(
            wrong > self.allowed * n and not exceeds(wrong, n, self.allowed, TESTS)
            for wrong in errors(self.tally).values()
        )

    def as_dict(self) -> dict[str, object]:
        return {**asdict(self), "tally": self.tally.as_dict()}

    @classmethod
    def from_dict(cls, found: dict[str, object]) -> Result:
        return cls(**{**found, "tally": Tally(**found["tally"])})  # type: ignore[arg-type]


def simulate(place: Place, kind: str, names: Iterable[str], repetitions: int) -> list[Result]:
    """Return what was counted for some metrics at one place."""
    first = max(1, round(repetitions * (LARGE_SHARE if place.layout.n >= LARGE else 1)))
    allowed = allowance(place)
    results = {}
    asked = {}
    for name in names:
        question = questions(place.population, metric_of(name), kind)
        if question is not None:
            asked[name] = question
            results[name] = Result(
                metric=name,
                world=place.world,
                n=place.layout.n,
                layout=place.layout.name,
                setting=asdict(place.population),
                kind=kind,
                allowed=allowed,
            )
    drawn = 0
    for stage, multiple in enumerate(STAGES):
        open_ = [name for name, result in results.items() if stage == 0 or result.undecided]
        if not open_:
            break
        more = first * multiple - drawn
        tallies = run(
            [(metric_of(name), asked[name]) for name in open_],
            holdouts(place.population, kind, place.layout, more, stage),
        )
        for name, tally in zip(open_, tallies, strict=True):
            results[name].tally += tally
        drawn = first * multiple
    return list(results.values())


def tasks(arguments: argparse.Namespace) -> Iterator[tuple[Place, str, tuple[str, ...], int]]:
    """Return what has to be simulated, small samples first: they are surprising, and cheap."""
    chosen = set(arguments.metrics.split(",")) if arguments.metrics else None
    again = None if arguments.again is None else wrong_before(arguments.again)
    for place in sorted(places(fraction=not arguments.every_combination), key=lambda p: p.layout.n):
        if arguments.worlds and place.world not in arguments.worlds:
            continue
        if arguments.rows and place.layout.n not in arguments.rows:
            continue
        if arguments.layouts and place.layout.name not in arguments.layouts:
            continue
        names = tuple(name for name in place.metrics if chosen is None or name in chosen)
        for kind in place.kinds if names else ():
            asked = (
                names if again is None else tuple(name for name in names if _key(name, place, kind) in again)
            )
            if asked:
                yield place, kind, asked, arguments.repetitions


def wrong_before(path: Path) -> set[tuple[object, ...]]:
    """Return what was wrong more often than is allowed in earlier results, by chance or not."""
    earlier = [Result.from_dict(each) for each in json.loads(path.read_text(encoding="utf-8"))]
    return {
        (r.metric, r.world, r.n, r.layout, str(r.setting), r.kind)
        for r in earlier
        if max(errors(r.tally).values()) > r.allowed * r.tally.repetitions
    }


def _key(metric: str, place: Place, kind: str) -> tuple[object, ...]:
    layout = place.layout
    return metric, place.world, layout.n, layout.name, str(asdict(place.population)), kind


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True, help="the file to write, JSON")
    parser.add_argument("--jobs", type=int, default=1, help="processes")
    parser.add_argument("--repetitions", type=int, default=60, help="simulated holdouts per place, at first")
    parser.add_argument("--metrics", default="", help="only these, separated by commas")
    parser.add_argument("--worlds", nargs="*", help="only these populations")
    parser.add_argument("--layouts", nargs="*", help="only these ways to draw rows")
    parser.add_argument("--rows", nargs="*", type=int, help="only these sizes")
    parser.add_argument(
        "--again", type=Path, help="only what was wrong more often than is allowed in these earlier results"
    )
    parser.add_argument(
        "--every-combination", action="store_true", help="every combination everywhere, which takes hours"
    )
    arguments = parser.parse_args()
    started = time.perf_counter()
    todo = list(tasks(arguments))
    results: list[Result] = []
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(arguments.jobs, mp_context=context) as pool:
        for done, future in enumerate(as_completed([pool.submit(simulate, *task) for task in todo]), 1):
            results += future.result()
            if done % 50 == 0 or done == len(todo):
                print(f"{done} of {len(todo)} places, {time.perf_counter() - started:.0f} s", flush=True)
                write(results, arguments.out)


def write(results: list[Result], path: Path) -> None:
    """Write what is known so far, in an order that does not depend on the processes."""
    ordered = sorted(results, key=lambda r: (r.metric, r.world, r.n, r.layout, r.kind, str(r.setting)))
    lines = ",\n".join(json.dumps(result.as_dict()) for result in ordered)
    path.write_text(f"[\n{lines}\n]\n", encoding="utf-8")


if __name__ == "__main__":
    main()
