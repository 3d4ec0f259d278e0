"""Offline runs, made by the real client in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from dataclasses import dataclass
from pathlib import Path

_START = """
import os, wandb
with wandb.init(project="credit", entity="team", id="r1", config={"depth": 3}) as run:
    run.log({"val_auc": 0.9})
    def log(name, kind, *files, **more):
        artifact = wandb.Artifact(name, type=kind)
        for file in files:
            artifact.add_file(file, name=os.path.basename(file))
        for reference in more.get("references", ()):
            artifact.add_reference(reference, checksum=False)
        run.log_artifact(artifact)
"""


@dataclass(frozen=True)
class OfflineFolders:
    """Where the client keeps runs, and files of artifacts that are not yet uploaded."""

    root: Path

    @property
    def environment(self) -> dict[str, str]:
        return {
            "WANDB_MODE": "offline",
            "WANDB_SILENT": "true",
            "WANDB_ERROR_REPORTING": "false",
            "WANDB_DIR": str(self.root),
            "WANDB_CACHE_DIR": str(self.root / "cache"),
            "WANDB_DATA_DIR": str(self.root / "data"),
            "WANDB_CONFIG_DIR": str(self.root / "config"),
        }

    @property
    def staged(self) -> list[Path]:
        return sorted(path for path in (self.root / "data").rglob("*") if path.is_file())

    def run(self, script: str) -> Path:
        """Run a training that logs with ``log`` and ``run``, and return the folder of its run."""
        before = set((self.root / "wandb").glob("offline-run-*"))
        environment = {name: value for name, value in os.environ.items() if not name.startswith("WANDB_")}
        subprocess.run(
            [sys.executable, "-W", "ignore", "-c", _START + textwrap.indent(textwrap.dedent(script), "    ")],
            check=True,
            env={**environment, **self.environment},
            cwd=self.root,
        )
        (made,) = set((self.root / "wandb").glob("offline-run-*")) - before
        return made
