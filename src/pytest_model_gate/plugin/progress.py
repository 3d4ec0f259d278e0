"""How far something is that takes long: lines in a terminal, and nothing in a log file."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

Progress = Callable[[str, int, int], None]

#: Seconds before the first line, and between two.
_PATIENCE, _PACE = 2.0, 5.0


def terminal_progress(config: pytest.Config) -> Progress | None:
    """Return what tells a person how far a gate is; ``None`` where nobody looks: in a file or a worker."""
    reporter: Any = config.pluginmanager.get_plugin("terminalreporter")
    if hasattr(config, "workerinput") or reporter is None or not reporter.isatty or reporter.verbosity < 0:
        return None
    return Lines(config, reporter)


class Lines:
    """A line now and then, above what pytest goes on to print."""

    def __init__(
        self, config: pytest.Config, reporter: Any, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._config = config
        self._reporter = reporter
        self._clock = clock
        self._what = ""
        self._next = 0.0

    def __call__(self, what: str, done: int, of: int) -> None:
        """Tell it, if it is time."""
        from ..report.escape import plain

        now = self._clock()
        if what != self._what:
            self._what, self._next = what, now + _PATIENCE
        if now < self._next or done >= of:
            return
        self._next = now + _PACE
        capture: Any = self._config.pluginmanager.get_plugin("capturemanager")
        text = f"{plain(what)}: {done:,} of {of:,}"
        if capture is None:
            self._write(text)
            return
        with capture.global_and_fixture_disabled():
            self._write(text)

    def _write(self, text: str) -> None:
        self._reporter.ensure_newline()
        self._reporter.write_line(text)
