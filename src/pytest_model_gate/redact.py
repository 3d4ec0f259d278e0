"""What may be said of a URI: secrets are taken out before anything is recorded. Standard library only."""

from __future__ import annotations

import re

#: Query parameters that say *which* version was read; every other value may be a key or a signature.
_HARMLESS = frozenset({"version", "versionid", "rev", "ref", "snapshot"})

_URI = re.compile(r"(?P<head>[A-Za-z][A-Za-z0-9+.\-]*:/+)(?P<rest>[^\s'\"<>]*)")
#: What a search among runs compares with a tag or parameter that is named like a secret.
_COMPARED = re.compile(
    r"(?P<name>\b(?:tags?|params?)\.[`\"]?[\w.\-/]{0,60}?(?:token(?!i|s)|secret|passw|credential|api.?key|auth)"
    r"[\w.\-/]{0,60}[`\"]?(?:\s|%20|\+){0,9}(?:!?(?:=|%3D)|I?LIKE)(?:\s|%20|\+){0,9})"
    r"(?P<quote>'|\"|%27|%22)(?P<value>.*?)(?P<end>(?P=quote)|$)",
    re.IGNORECASE,
)
_CLOSING = ")],.;"
_HOST = re.compile(r"[^:]*(:\d*)?|\[[0-9A-Fa-f:.]*\](:\d*)?")


def redact(text: str) -> str:
    """Return the text with user info and query values of every URI in it replaced by ``***``.

    It takes a single URI or a whole sentence, for example another library's error message. Query
    parameters that name a version (``versionId``, ``version``, ``rev``, ``ref``, ``snapshot``) stay. In the
    filter of a search, what is compared with a tag or parameter that is named like a secret goes, too.

    Examples
    --------
    >>> redact("https://ann:s3cret@mlflow.example/api?token=abc&versionId=7")
    'https://***@mlflow.example/api?token=***&versionId=7'
    >>> redact("models:/credit@champion")
    'models:/credit@champion'
    """
    return _COMPARED.sub(r"\g<name>\g<quote>***\g<end>", _URI.sub(_redact_match, text))


def _redact_match(match: re.Match[str]) -> str:
    head, rest = match["head"], match["rest"]
    body = rest.rstrip(_CLOSING)
    tail = rest[len(body) :]
    if head.endswith("//"):  # only ``scheme://`` has an authority: ``models:/name@alias`` has none
        body = _without_user_info(body)
    body, hash_sign, fragment = body.partition("#")
    body, question_mark, query = body.partition("?")
    if query:
        query = "&".join(_redact_parameter(parameter) for parameter in query.split("&"))
    return head + body + question_mark + query + hash_sign + fragment + tail


def _without_user_info(rest: str) -> str:
    authority = re.split(r"[/?#]", rest, maxsplit=1)[0]
    if "@" in authority:
        return "***@" + authority.rpartition("@")[2] + rest[len(authority) :]
    if "@" in rest and not _HOST.fullmatch(authority):
        # "user:pass/word@host" is not escaped as it should be, and is a secret all the same.
        return "***@" + rest.rpartition("@")[2]
    return rest


def _redact_parameter(parameter: str) -> str:
    name, equals, value = parameter.partition("=")
    if not equals:
        return "***"
    return parameter if name.lower() in _HARMLESS else f"{name}=***" if value else parameter
