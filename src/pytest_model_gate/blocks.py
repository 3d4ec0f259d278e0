"""Rows in blocks: what is worked out block by block stays in the cache of a core.

A new array as long as the rows costs several times the arithmetic that fills it, and its memory besides.
"""

from __future__ import annotations

from collections.abc import Iterator

#: Rows of a block: two arrays of so many numbers fit in the second-level cache of a core.
BLOCK = 1 << 15


def blocks(n: int) -> Iterator[slice]:
    """Return windows that cover n rows, in their order.

    Examples
    --------
    >>> list(blocks(40_000))
    [slice(0, 32768, None), slice(32768, 40000, None)]
    """
    for start in range(0, n, BLOCK):
        yield slice(start, min(start + BLOCK, n))
