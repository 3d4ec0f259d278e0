"""What comes from data, models and servers, made harmless for a terminal."""

from __future__ import annotations


def plain(text: str, *, keep_lines: bool = False) -> str:
    r"""Return the text with everything that is not printable written as an escape.

    Terminal control sequences, line breaks, marks that turn the direction of text, invisible characters
    and lone surrogates could forge a verdict, or break the console.

    Parameters
    ----------
    text : str
        Any text.
    keep_lines : bool
        Whether line breaks are ours and stay.

    Examples
    --------
    >>> plain("a\x1b[32mb\nc")
    'a\\x1b[32mb\\nc'
    >>> plain("first\nsecond", keep_lines=True)
    'first\nsecond'
    """
    return "".join(
        sign
        if sign.isprintable() or (keep_lines and sign == "\n")
        else sign.encode("unicode-escape").decode("ascii")
        for sign in text
    )
