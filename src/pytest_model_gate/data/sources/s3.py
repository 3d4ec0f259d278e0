"""``s3://bucket/key``: an object, a folder or a glob of Parquet objects, at the versions that are pinned.

Where the bucket keeps versions, the version that the address means now is looked up, pinned, and opened again
from then on. Where it keeps none, only the digest tells that somebody has replaced the object.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import partial

from ...errors import UnavailableError
from ...hooks import DatasetProtocol
from ...redact import redact
from ...spec import SourceContext
from ...wording import did_you_mean, some
from .local import Format, format_of, unknown_suffix
from .patterns import MAGIC, chosen, start_of, versions_of, versions_text
from .remote import RemoteFile, RemoteFiles, open_remote
from .s3_address import Address, parse
from .s3_errors import MissingObjectError
from .s3_store import Bucket, Found

_KIND = "s3"
_LOOKERS = 8


def open_source(source: str, context: SourceContext) -> DatasetProtocol:
    """Open what an address of S3 means.

    Parameters
    ----------
    source : str
        ``s3://bucket/key``, with ``?versionId=`` where one version is meant.
    context : SourceContext
        Its ``pinned_versions`` say which version the lock agrees to.
    """
    address, shown = parse(source), redact(source)
    bucket = Bucket(address.bucket, shown)
    pinned = context.pinned_versions.get(shown, "")
    many = versions_of(pinned)
    if many:
        start = start_of(address.key)
        keys = [start + name for name in many]
        return _open_many(bucket, address, start, _look(bucket, keys, list(many.values())))
    if not MAGIC.search(address.key) and not address.key.endswith("/"):
        kind = format_of(address.key)
        try:
            found = bucket.look(address.key, address.version or pinned)
        except MissingObjectError:
            found = None
        if found and kind is None:
            raise unknown_suffix(shown, address.key.rpartition("/")[2])
        if found and kind:
            return _open_one(bucket, address, found, kind)
    start, keys = chosen(bucket.keys(start_of(address.key)), address.key)
    if not keys:
        raise _nothing(bucket, address)
    return _open_many(bucket, address, start, _look(bucket, keys, [""] * len(keys)))


def _look(bucket: Bucket, keys: list[str], versions: list[str]) -> list[Found]:
    with ThreadPoolExecutor(min(_LOOKERS, len(keys))) as pool:
        try:
            return list(pool.map(bucket.look, keys, versions))
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _open_one(bucket: Bucket, address: Address, found: Found, kind: Format) -> DatasetProtocol:
    version = f"?versionId={found.version}" if found.version else ", of which the bucket keeps no versions"
    return open_remote(
        RemoteFiles(
            source=bucket.source,
            resolved=address.text + version,
            format=kind,
            files=(remote_object(bucket, found, address.key.rpartition("/")[2]),),
            single=True,
            version=found.version,
        )
    )


def _open_many(bucket: Bucket, address: Address, start: str, found: list[Found]) -> DatasetProtocol:
    names = [item.key.removeprefix(start) for item in found]
    kept = all(item.version for item in found)
    count = "1 object" if len(found) == 1 else f"{len(found):,} objects"
    versions = "each at its version" if kept else "of which the bucket keeps no versions"
    files = [remote_object(bucket, item, name) for item, name in zip(found, names, strict=True)]
    return open_remote(
        RemoteFiles(
            source=bucket.source,
            resolved=f"{address.text} ({count}, {versions})",
            format="parquet",
            files=tuple(sorted(files, key=lambda file: file.name)),
            single=False,
            version=versions_text({n: item.version for n, item in zip(names, found, strict=True)})
            if kept
            else "",
        )
    )


def remote_object(bucket: Bucket, found: Found, name: str) -> RemoteFile:
    """Return one object as a file to fetch; where it has no version, its ETag tells its bytes from others."""
    which = ("version", found.version) if found.version else ("etag", found.etag, str(found.size))
    identity = (bucket.endpoint, bucket.name, found.key, *which)
    return RemoteFile(name, _KIND, identity, partial(bucket.download, found))


def _nothing(bucket: Bucket, address: Address) -> UnavailableError:
    """Return why there is nothing to read."""
    where, start = f"at {redact(bucket.endpoint)}", start_of(address.key)
    held = sorted(key.removeprefix(start) for key in bucket.keys(start))
    if MAGIC.search(address.key):
        return UnavailableError(
            f"{address.text} matches no object {where}.",
            f"There are: {some(held)}." if held else f"Nothing lies below s3://{address.bucket}/{start}.",
        )
    if held:
        return UnavailableError(
            f"s3://{address.bucket}/{start} holds no Parquet objects.",
            f"It holds: {some(held)}. Name one object, or a folder with *.parquet in it.",
        )
    near = [f"s3://{address.bucket}/{key}" for key in bucket.near(address.key)]
    return UnavailableError(
        f"{address.text} does not exist {where}.",
        did_you_mean(address.text, near, "Check the address; nothing there has a name like it."),
    )
