"""What the bounds of many lines search for, searched at once: numpy is then called once for all of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ..stats.flattered import Flattered
from ..stats.inference import Inference
from ..stats.tilted import Tilted, settle
from ..stats.wider import Wider
from .canonical import Steady


def find_bounds(inferences: Iterable[Inference], alpha: float) -> None:
    """Have the bounds of many inferences found: they are those that each finds when it is asked."""
    settle([tilted for each in inferences for tilted in _tilted(each)], alpha)


def _tilted(inference: Inference) -> Iterator[Tilted]:
    if isinstance(inference, Tilted):
        yield inference
    elif isinstance(inference, Steady | Flattered):
        yield from _tilted(inference.inner)
    elif isinstance(inference, Wider):
        yield from _tilted(inference.first)
        yield from _tilted(inference.second)
