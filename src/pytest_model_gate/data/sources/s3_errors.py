"""What boto says when an S3 server refuses, lacks something or is silent, as plain sentences."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ...errors import EvaluationError, InvalidError, ModelGateError, UnavailableError, UnreachableError
from ...redact import redact
from ...waiting import VARIABLE, shown_seconds
from ...wording import first_line, shorten
from ..pins import PIN_COMMAND

_CREDENTIALS = "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE"
_MISSING = ("NoSuchKey", "NotFound")
_REFUSED = ("AccessDenied", "403", "Forbidden", "AllAccessDisabled", "AccountProblem", "401")
_EXPIRED = ("ExpiredToken", "InvalidToken", "TokenRefreshRequired", "ExpiredTokenException")
_SILENT = re.compile(r"timeout|timed out", re.IGNORECASE)


class MissingObjectError(UnavailableError):
    """There is no object of that name (which may be that of a folder)."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where something was asked for.

    Parameters
    ----------
    source : str
        What the user wrote, without secrets.
    bucket : str
        The bucket.
    setting : str
        What the user changes to change the server.
    endpoint : str
        The server.
    prefixes : tuple of str
        Sources that begin so ask the same server.
    """

    source: str
    bucket: str
    setting: str
    endpoint: str
    prefixes: tuple[str, ...] = ("s3://",)


def explain(
    error: Exception, place: Place, *, key: str = "", version: str = "", limit: float = 0.0
) -> ModelGateError:
    """Return the error to raise for one of boto.

    Parameters
    ----------
    error : Exception
        A ``ClientError`` (the server answered), another error of boto, or a ``ValueError`` of its settings.
    place : Place
        Where.
    key, version : str
        What was asked for.
    limit : float
        How many seconds the server could be silent. 0: as long as for any question.
    """
    from botocore.exceptions import ClientError

    if isinstance(error, ClientError):
        return _answered(error, place, key, version)
    return _unanswered(error, place, key, limit)


def no_s3(place: Place, how: str) -> UnavailableError:
    """Return the error to raise for a server that answers, but not as S3 does."""
    return UnavailableError(
        f"{redact(place.endpoint)} answered {how} and not as S3 does, so '{place.source}' could not be "
        "opened.",
        f"Another kind of server may listen there: correct {place.setting}.",
    )


def _answered(error: Exception, place: Place, key: str, version: str) -> ModelGateError:
    response = getattr(error, "response", {})
    said = response.get("Error", {})
    code, status = str(said.get("Code", "")), response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    where = f"at {redact(place.endpoint)}"
    if code.isdecimal() and status < 500 and status not in (401, 403):
        # boto found no error of S3 in the answer, and put its status there.
        return no_s3(place, f"with {status}")
    if code == "NoSuchBucket":
        return UnavailableError(
            f"There is no bucket '{place.bucket}' {where}.",
            f"Correct the address, or the server: {place.setting}.",
        )
    # AWS calls an id that it never gave an invalid argument; a version that is a mark of a deletion has
    # no method.
    if version and code in (*_MISSING, "NoSuchVersion", "InvalidArgument", "MethodNotAllowed"):
        return UnavailableError(
            f"Version {shorten(version, 80)} of s3://{place.bucket}/{key} does not exist {where}.",
            "It was deleted, or its life there has ended. Restore it, or agree to what is there now: "
            f"run {PIN_COMMAND}.",
        )
    if code in _MISSING:
        return MissingObjectError(f"s3://{place.bucket}/{key} does not exist {where}.", "Check the address.")
    if code == "PreconditionFailed":
        return InvalidError(
            f"s3://{place.bucket}/{key} changed while it was being read.",
            "Run the gate again when nothing writes to it.",
        )
    if code in ("SignatureDoesNotMatch", "InvalidAccessKeyId"):
        why = "does not know the access key" if code == "InvalidAccessKeyId" else "found the secret key wrong"
        return UnavailableError(
            f"The S3 server {redact(place.endpoint)} refused to open '{place.source}': it {why}.",
            f"Correct {_CREDENTIALS}.",
        )
    if code == "InvalidObjectState":
        return UnavailableError(
            f"s3://{place.bucket}/{key} is archived {where}: it cannot be read as it is.",
            "Restore it to a storage class that can be read: aws s3api restore-object.",
        )
    if code == "RequestTimeTooSkewed":
        return UnavailableError(
            f"The S3 server {redact(place.endpoint)} refused to open '{place.source}': the clocks differ.",
            "Set the clock of this machine.",
        )
    if code in _EXPIRED:
        return UnavailableError(
            f"The S3 server {redact(place.endpoint)} refused to open '{place.source}': the credentials have "
            "expired.",
            "Log in again, for example: aws sso login.",
        )
    if code in _REFUSED or status in (401, 403):
        return UnavailableError(
            f"The S3 server {redact(place.endpoint)} refused to open '{place.source}': access is denied.",
            f"Let the credentials ({_CREDENTIALS}) read s3://{place.bucket}/{key} and list its folder. "
            "An object that does not exist looks the same to those who may not list.",
        )
    if code in ("SlowDown", "ServiceUnavailable", "InternalError") or status >= 500:
        return UnavailableError(
            f"The S3 server {redact(place.endpoint)} failed with {status or code} while it was asked for "
            f"s3://{place.bucket}/{key}.",
            "Run the gate again; if it stays so, the server or the object is damaged.",
        )
    text = shorten(first_line(Exception(said.get("Message") or code)), 120)
    return EvaluationError(
        f"The S3 server {redact(place.endpoint)} could not open '{place.source}': {code or status} ({text}).",
        f"Check the address and {place.setting}.",
    )


def _unanswered(error: Exception, place: Place, key: str, limit: float) -> ModelGateError:
    from botocore import exceptions as boto

    server = f"The S3 server {redact(place.endpoint)}" if place.endpoint else "The S3 server"
    if isinstance(error, (boto.NoCredentialsError, boto.PartialCredentialsError)):
        return UnavailableError(
            f"There are no complete credentials to open '{place.source}' with.", f"Set {_CREDENTIALS}."
        )
    if isinstance(error, boto.ProfileNotFound):
        return UnavailableError(
            f"'{place.source}' cannot be opened: {first_line(error)}.",
            "Correct AWS_PROFILE, or add the profile to ~/.aws/config.",
        )
    if isinstance(error, (boto.SSOError, boto.CredentialRetrievalError, boto.TokenRetrievalError)):
        return UnavailableError(
            f"There are no credentials to open '{place.source}' with: {shorten(first_line(error), 120)}.",
            "Log in again, for example: aws sso login.",
        )
    if isinstance(error, boto.FlexibleChecksumError):
        return InvalidError(
            f"s3://{place.bucket}/{key} does not have the checksum that the server keeps of it.",
            "The object is damaged: restore it.",
        )
    if isinstance(error, (boto.ResponseStreamingError, boto.IncompleteReadError)):
        return UnavailableError(
            f"{server} broke off while it sent s3://{place.bucket}/{key}.", "Run the gate again."
        )
    if isinstance(error, (boto.HTTPClientError, boto.ConnectionError, TimeoutError)):
        silent = isinstance(error, TimeoutError) or _SILENT.search(str(error))
        waited = f"{limit:g} seconds" if limit else shown_seconds()
        what = f"did not answer within {waited}" if silent else "cannot be reached"
        return UnreachableError(
            f"{server} {what}, so '{place.source}' could not be opened.",
            f"Start it, or correct {place.setting}. {VARIABLE} sets how many seconds to wait.",
            prefixes=place.prefixes,
        )
    if isinstance(error, RecursionError) or type(error).__name__ == "ResponseParserError":
        return no_s3(place, "with something else")
    return EvaluationError(
        f"'{place.source}' cannot be opened: {shorten(first_line(error), 160)}.",
        f"Check the address and {place.setting}.",
    )
