"""pytest's own collection, run in this process: which gates there are, and what extends them."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from ..errors import ConfigurationError

if TYPE_CHECKING:
    import pluggy
    import pytest

    from ..spec import GateSpec

#: The name under which the plugin's session is registered.
SESSION = "model_gate.session"


class Collected(NamedTuple):
    """One gate, with the sources and metrics that its conftest files add."""

    spec: GateSpec
    registry: pluggy.PluginManager


#: Our own modules are imported before pytest starts, so it cannot rewrite their asserts. That is no news
#: here, and with ``filterwarnings = error`` it would be the end of the run.
_COLLECT = ("--collect-only", "-q", "--no-header", "-W", "ignore::pytest.PytestAssertRewriteWarning")


class _Listener:
    """Notes the gates when all tests are collected."""

    def __init__(self) -> None:
        self.gates: list[Collected] = []

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Read them off the plugin's session."""
        gates: Any = session.config.pluginmanager.get_plugin(SESSION)
        if gates is not None:
            self.gates = [Collected(gate.spec, gate.registry) for gate in gates]


def collect(arguments: Sequence[str], purpose: str = "pin") -> list[Collected]:
    """Return the gates that pytest collects with these arguments.

    Raises
    ------
    ConfigurationError
        With what pytest said, if it cannot collect, and if there is no gate.
    """
    import pytest

    listener, said = _Listener(), io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        status = pytest.main([*_COLLECT, *arguments], plugins=[listener])
    if status not in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED):
        raise ConfigurationError(f"pytest could not collect the gates:\n\n{said.getvalue().strip()}")
    if not listener.gates:
        raise ConfigurationError(
            f"pytest collected no gate here: there is nothing to {purpose}.",
            "Mark a test with @pytest.mark.model_gate, or give the folder that holds the gates.",
        )
    return listener.gates
