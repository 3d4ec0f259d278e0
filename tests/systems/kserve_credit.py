"""A model that KServe's Python server serves: ``python kserve_credit.py PORT``, where kserve is installed."""

from __future__ import annotations

import sys
from typing import Any


def serve_kserve(port: int) -> None:
    """Serve one model, written with KServe's own classes."""
    import numpy as np
    from kserve import InferOutput, InferResponse, Model, ModelServer

    class Credit(Model):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__("credit")
            self.ready = True

        async def predict(self, payload: Any, headers: Any = None, response_headers: Any = None) -> Any:
            rows = payload.as_dataframe()
            said = 1 / (1 + np.exp(-rows["a"].to_numpy(dtype=float)))
            said = np.where(rows["place"] == "north", 0.5, said)
            out = InferOutput(name="p", shape=[len(said)], datatype="FP64", data=said.tolist())
            return InferResponse(model_name=self.name, response_id="1", infer_outputs=[out])

        async def get_input_types(self) -> list[dict[str, Any]]:
            return [
                {"name": "place", "datatype": "BYTES", "shape": [-1]},
                {"name": "a", "datatype": "FP64", "shape": [-1]},
            ]

        async def get_output_types(self) -> list[dict[str, Any]]:
            return [{"name": "p", "datatype": "FP64", "shape": [-1]}]

    ModelServer(http_port=port, enable_grpc=False, workers=1).start([Credit()])


if __name__ == "__main__":
    serve_kserve(int(sys.argv[1]))
