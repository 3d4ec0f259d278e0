"""Do several things at once and return the results in order; the first that fails ends it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")


def in_order(tasks: Sequence[T], work: Callable[[T, threading.Event], R], at_once: int) -> list[R]:
    """Return what ``work`` returns for each task, in their order.

    The threads are daemons: what hangs in one keeps no process alive. Nothing is begun after a failure.

    Parameters
    ----------
    tasks : sequence
        What is to be done.
    work : callable
        Does one of them. The event is set when nobody needs its result any more.
    at_once : int
        How many threads.
    """
    stop = threading.Event()
    if len(tasks) == 1:
        return [work(tasks[0], stop)]
    changed = threading.Condition()
    waiting = iter(range(len(tasks)))
    done: dict[int, R] = {}
    failed: dict[int, BaseException] = {}

    def run() -> None:
        while not stop.is_set():
            with changed:
                place = next(waiting, None)
            if place is None:
                return
            try:
                result = work(tasks[place], stop)
            except BaseException as error:  # noqa: BLE001 - raised again where it was asked for
                with changed:
                    failed[place] = error
                    changed.notify_all()
                return
            with changed:
                done[place] = result
                changed.notify_all()

    for _ in range(min(at_once, len(tasks))):
        threading.Thread(target=run, daemon=True).start()
    try:
        with changed:
            changed.wait_for(lambda: bool(failed) or len(done) == len(tasks))
            if failed:
                raise failed[min(failed)]
            return [done[place] for place in range(len(tasks))]
    finally:
        stop.set()
