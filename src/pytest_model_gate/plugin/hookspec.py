"""The hook of pytest through which a project's conftest extends its gates."""

from __future__ import annotations

from collections.abc import Sequence

import pytest


def pytest_model_gate_plugins(config: pytest.Config) -> Sequence[object] | None:
    """Return modules, objects or import names that implement hooks of ``pytest_model_gate.hooks``.

    Only the conftest files that pytest consults for a test are asked, so a folder can have sources
    and metrics of its own. The argument may be left out. With ``optionalhook=True`` the conftest
    also works where the plugin is absent (``-p no:model_gate``)::

        import pytest
        from mycompany import warehouse_source

        @pytest.hookimpl(optionalhook=True)
        def pytest_model_gate_plugins():
            return [warehouse_source]
    """
