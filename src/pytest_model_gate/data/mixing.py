"""The one way to scatter the bits of 64-bit words, and the number that a column's name adds to its values."""

from __future__ import annotations

import hashlib

import numpy as np
import numpy.typing as npt

Words = npt.NDArray[np.uint64]

#: So many words are mixed at a time: they stay in a core's own cache.
_PIECE = 1 << 15
_STEPS = ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB), (31, 0))


def avalanche(words: Words) -> Words:
    """Return words whose bits depend on all bits, one to one and in place.

    The finalizer of SplitMix64 (Steele, Lea and Flood 2014).
    """
    spare = np.empty(min(_PIECE, len(words)), dtype=np.uint64)
    for start in range(0, len(words), _PIECE):
        piece = words[start : start + _PIECE]
        shifted = spare[: len(piece)]
        for shift, factor in _STEPS:
            np.right_shift(piece, np.uint64(shift), out=shifted)
            np.bitwise_xor(piece, shifted, out=piece)
            if factor:
                np.multiply(piece, np.uint64(factor), out=piece)
    return words


def column_seed(name: str, salt: int = 0) -> np.uint64:
    """Return the number of a column: equal values of two columns are then different words."""
    text = f"{salt}:{name}".encode("utf-8", "surrogatepass")
    return np.uint64(int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "little"))
