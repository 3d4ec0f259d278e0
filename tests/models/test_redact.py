"""Secrets in URIs reach no record and no message."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_model_gate.redact import redact


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("https://ann:s3cret@host:5000/api", "https://***@host:5000/api"),
        ("https://t0ken@host/api", "https://***@host/api"),
        ("https://host/api?token=abc&x=1", "https://host/api?token=***&x=***"),
        ("https://host/api?abc", "https://host/api?***"),
        ("https://host?key=abc", "https://host?key=***"),
        ("s3://bucket/key?versionId=7&X-Amz-Signature=ab", "s3://bucket/key?versionId=7&X-Amz-Signature=***"),
        ("postgresql+psycopg2://u:p@h/db?password=x", "postgresql+psycopg2://***@h/db?password=***"),
        ("https://u:pa/ss@host/x", "https://***@host/x"),
        ("https://u:pa?ss@host/x", "https://***@host/x"),
        ("https://u:p@ss@host/x", "https://***@host/x"),
        ("https://u:pa#ss@host/x", "https://***@host/x"),
        ("https://[::1]:5000/x@y", "https://[::1]:5000/x@y"),
        (
            "mlflow-search:e?filter=tags.token = 'abc' and tags.team = 'risk'&order_by=metrics.auc DESC",
            "mlflow-search:e?filter=tags.token = '***' and tags.team = 'risk'&order_by=metrics.auc DESC",
        ),
        ("filter=params.`my.api_key`!='a b' and x", "filter=params.`my.api_key`!='***' and x"),
        ("tags.git_Password%20%3D%20%27abc%27&x", "tags.git_Password%20%3D%20%27***%27&x"),
        ('tags."auth-header" LIKE "Bearer %"', 'tags."auth-header" LIKE "***"'),
        ("does not understand \"tags.secret = 'abc", "does not understand \"tags.secret = '***"),
        # What is no secret stays readable.
        ("mlflow-search:e?filter=params.depth = '4'", "mlflow-search:e?filter=params.depth = '4'"),
        ("params.tokenizer = 'bpe'", "params.tokenizer = 'bpe'"),
        ("metrics.auth_auc > 0.5", "metrics.auth_auc > 0.5"),
        ("models:/credit@champion", "models:/credit@champion"),
        ("runs:/0123/model", "runs:/0123/model"),
        ("lakefs://repo/main/x@y.parquet", "lakefs://repo/main/x@y.parquet"),
        ("http://host:80/models/a@b", "http://host:80/models/a@b"),
        ("sqlite:////tmp/a.db", "sqlite:////tmp/a.db"),
        ("wandb:entity/project/artifact:v1", "wandb:entity/project/artifact:v1"),
        ("predictions:p.parquet#a=b,c=d", "predictions:p.parquet#a=b,c=d"),
        ("data/holdout.parquet", "data/holdout.parquet"),
        (
            "GET (https://u:p@h/a?k=v), then 'http://x:y@z'.",
            "GET (https://***@h/a?k=***), then 'http://***@z'.",
        ),
    ],
)
def test_redact(text, safe):
    assert redact(text) == safe
    assert redact(safe) == safe


WORD = st.text(st.characters(codec="ascii", categories=["L", "N"]), min_size=4, max_size=12)


@settings(deadline=None, derandomize=True)
@given(user=WORD, odd=st.sampled_from(["", "/", "?", "#", "@", ":", "%2F"]), host=WORD, path=WORD)
def test_no_password_survives(user, odd, host, path):
    secret = f"S3{odd}CRET"
    assert "CRET" not in redact(f"https://{user}:{secret}@{host}.example/{path}?sig=S3CRET")
