"""The gates of one process: project, registry and evaluations, each made once. Imported where a gate is."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Literal

import pluggy
import pytest

from ..config.files import Project, read_project
from ..config.resolve import Overrides, resolve
from ..errors import ConfigurationError, ModelGateError
from ..results import GateRecord, Verdict
from ..spec import GateSpec
from ..wire import dumps, to_plain
from .marker import read_marks
from .session import SOURCES, refused_key

if TYPE_CHECKING:
    from ..gate.candidates import Contest
    from ..gate.evaluate import Evaluation

MISTAKE = """
  This is a mistake in pytest-model-gate or in an extension: report it with the traceback above."""

SWALLOWED = "The test went on after this verdict; a verdict stands all the same."

Fate = Literal["selected", "deselected", "refused"]


class GateItem:
    """One test that is a gate, and what it found in its latest attempt."""

    def __init__(self, item: pytest.Item, spec: GateSpec, gates: Gates) -> None:
        self.item = item
        self.spec = spec
        self.fate: Fate = "selected"
        self.records: list[tuple[GateRecord, str]] = []  # each with its JSON
        self.earlier: list[GateRecord] = []  # what earlier attempts of the same test found
        self._gates = gates

    @property
    def name(self) -> str:
        """The gate's name."""
        return self.spec.name

    @property
    def advise(self) -> bool:
        """Whether this run fails nothing."""
        return bool(self.item.config.getoption("gate_advise"))

    @cached_property
    def registry(self) -> pluggy.PluginManager:
        """Sources and metrics, as the conftest files of this test extend them."""
        return self._gates.registry(self.item)

    @cached_property
    def evaluation(self) -> Evaluation | Contest:
        """The evaluation that all tests of this gate share."""
        return self._gates.evaluation(self.spec, self.registry)

    def check(self) -> None:
        """Check the names of metrics.

        Raises
        ------
        ConfigurationError
            If the gate makes no sense, or an extension cannot be loaded.
        """
        from ..gate.names import checked

        self.spec = checked(self.spec, self.registry)

    def start_again(self) -> None:
        """Begin an attempt; what earlier ones found is kept."""
        self.earlier += [record for record, _ in self.records]
        self.records.clear()

    def refuse(self) -> None:
        """Keep this test from running."""
        self.fate = "refused"
        self.item.stash[refused_key] = True

    def judge(self, ask: Callable[[Evaluation | Contest], GateRecord]) -> GateRecord:
        """Ask one question, keep the answer, and fail the test where it is no pass."""
        __tracebackhide__ = True
        from ..report.escape import plain
        from ..report.terminal import failure_text

        trouble = ""
        try:
            record = ask(self.evaluation)
            written = dumps(record)
        except ModelGateError as error:
            trouble = plain(f"{self.name}: {error}", keep_lines=True)
        except Exception as error:  # noqa: BLE001 - our mistake or an extension's: a sentence below the traceback
            pytest.fail(plain(f"{self.name}: NOT JUDGED, {type(error).__name__}: {error}") + MISTAKE)
        if trouble:
            pytest.fail(trouble, pytrace=False)
        self.records.append((record, written))
        if record.verdict is not Verdict.PASS and not self.advise:
            # Not an AssertionError: `except Exception` in a test must not go on as if nothing were.
            pytest.fail(failure_text(record), pytrace=False)
        return record

    def finish(self) -> None:
        """Judge the whole gate, unless the body of the test has asked something itself."""
        __tracebackhide__ = True
        from .fixture import refuse_foreign_fixture

        refuse_foreign_fixture(self.item)
        if not self.records:
            self.judge(lambda evaluation: evaluation.record())
        found = [*self.earlier, *(record for record, _ in self.records)]
        failing = next((record for record in found if record.verdict is not Verdict.PASS), None)
        if failing is not None and not self.advise:
            # A verdict stands, whatever the body of the test, a thread of it or a re-run made of it.
            from ..report.terminal import failure_text

            pytest.fail(f"{failure_text(failing)}\n  {SWALLOWED}", pytrace=False)


class Gates:
    """What the gates of one process share."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        self.overrides = Overrides(**{key: tuple(config.getoption(f"gate_{key}")) for key in SOURCES})
        # Values hold the plugins too, so that no other object can take over the identity of one.
        self._registries: dict[tuple[int, ...], tuple[pluggy.PluginManager, list[object]]] = {}
        self._evaluations: dict[tuple[int, str], Evaluation | Contest] = {}

    @cached_property
    def project(self) -> Project:
        """The project's files."""
        return read_project(self.config.rootpath)

    def collect(self, item: pytest.Item) -> GateItem:
        """Return the gate that a test asks for.

        Raises
        ------
        ConfigurationError
            If it makes no sense.
        """
        asked = read_marks(item)
        spec = resolve(
            self.project,
            name=asked.name,
            mark=asked.keys,
            default_name=asked.default_name,
            overrides=self.overrides,
        )
        said = self.config.getoption("gate_cache")
        return GateItem(item, spec if said is None else replace(spec, cache=said), self)

    def registry(self, item: pytest.Item) -> pluggy.PluginManager:
        """Return the registry with what the conftest files of this test add."""
        from ..gate.registry import build_registry

        groups = item.ihook.pytest_model_gate_plugins(config=self.config)
        plugins = [plugin for group in groups for plugin in group or ()]
        key = tuple(map(id, plugins))
        if key not in self._registries:
            self._registries[key] = (build_registry(plugins), plugins)
        return self._registries[key][0]

    def evaluation(self, spec: GateSpec, registry: pluggy.PluginManager) -> Evaluation | Contest:
        """Return the one evaluation of a gate: another test or a re-run gets the same answer."""
        from ..gate.candidates import evaluation_of
        from .progress import terminal_progress

        key = (id(registry), json.dumps(to_plain(spec), sort_keys=True))
        if key not in self._evaluations:
            self._evaluations[key] = evaluation_of(
                spec,
                registry,
                pin=bool(self.config.getoption("gate_pin")),
                progress=terminal_progress(self.config),
            )
        return self._evaluations[key]

    def doubts(self, gates: Iterable[GateItem]) -> list[str]:
        """Return a sentence for each gate that can hardly pass with the rows that are pinned."""
        from ..gate.outlook import Outlook
        from ..report.escape import plain

        known, seen = Outlook(), dict[str, None]()
        for gate in gates:
            said = known.of(gate.spec, gate.registry)
            if said:
                seen[plain(said)] = None
        return list(seen)

    def check_together(self, items: Sequence[GateItem], *, whole: bool) -> None:
        """Check what only all gates together tell.

        Parameters
        ----------
        items : sequence of GateItem
            All that were collected.
        whole : bool
            Whether all tests were collected: then a gate without a test is an error.

        Raises
        ------
        ConfigurationError
            For a source on the command line that fits no gate or several, and for a gate or a waiver
            that no test has.
        """
        collected = {gate.name for gate in items}
        selected = {gate.name for gate in items if gate.fate == "selected"}
        self.overrides.check(selected, collected | set(self.project.gates))
        if not whole:
            return
        unused = sorted(set(self.project.gates) - collected)
        if unused:
            gates = f"gate{'s' * (len(unused) > 1)} {', '.join(unused)}"
            raise ConfigurationError(
                f"{self.project.where('gates')}: no collected test has the {gates}, "
                "and a gate that never runs passes nothing.",
                f"Mark a test with @pytest.mark.model_gate({unused[0]!r}), or remove the table.",
            )
        stale = sorted({waiver.gate for waiver in self.project.waivers} - collected)
        if stale:
            raise ConfigurationError(
                f"{self.project.where('waivers')}: no collected test has the gate {', '.join(stale)}.",
                "Correct the name, or remove the waiver.",
            )
