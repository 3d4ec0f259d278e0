"""The S3 server that other tests rely on keeps versions and checks signatures."""

import pytest

from systems.seaweed import READER

pytestmark = pytest.mark.seaweedfs


def test_it_keeps_versions(seaweed):
    bucket = seaweed.bucket()
    first, second = bucket.put("x", b"one"), bucket.put("x", b"two")
    assert first
    assert second not in ("", first)
    old = bucket.client.get_object(Bucket=bucket.name, Key="x", VersionId=first)["Body"].read()
    assert old == b"one"
    assert bucket.client.get_object(Bucket=bucket.name, Key="x")["Body"].read() == b"two"


def test_it_keeps_none_where_nobody_asked(seaweed):
    assert seaweed.bucket(versioned=False).put("x", b"one") == ""


def test_it_refuses_a_wrong_key(seaweed, monkeypatch):
    import boto3
    from botocore.exceptions import ClientError

    bucket = seaweed.bucket()
    for key, secret, code in (
        (READER[0], "wrong", "SignatureDoesNotMatch"),
        ("AKIANOBODY", "wrong", "InvalidAccessKeyId"),
    ):
        client = boto3.client("s3", aws_access_key_id=key, aws_secret_access_key=secret)
        with pytest.raises(ClientError) as caught:
            client.list_objects_v2(Bucket=bucket.name)
        assert caught.value.response["Error"]["Code"] == code
