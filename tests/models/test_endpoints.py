"""Models behind HTTP: what is sent, what comes back, and everything that can be wrong with a server."""

from __future__ import annotations

import datetime as dt
import decimal
import json
import ssl
import subprocess
import sys
import threading
import time
from http.client import responses
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pytest_model_gate.errors import (
    ConfigurationError,
    EvaluationError,
    InvalidError,
    UnavailableError,
    UnreachableError,
)
from pytest_model_gate.models.scoring import score
from systems.scripted_http import Scripted, serving

ROWS = pd.DataFrame({"a": np.linspace(-1, 1, 40), "b": np.arange(40)})
START = "  Start it, or correct the source. MODEL_GATE_TIMEOUT is how many seconds a server may be silent"
LOG = "\n  Look at the server's log; check that the columns are those that the model takes."


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """Requests of ten rows, and no second chance unless a test asks for one."""
    monkeypatch.setenv("MODEL_GATE_ENDPOINT_ROWS", "10")
    monkeypatch.setenv("MODEL_GATE_ENDPOINT_RETRIES", "0")


def message(error, load, source, frame=ROWS, want="probability"):
    with pytest.raises(error) as caught:
        load(source).predict(frame, want)
    assert type(caught.value) is error
    text = str(caught.value)
    assert all(len(line) < 400 for line in text.splitlines())
    return text


# ------------------------------------------------------------------------------------- what is sent


def test_rows_go_out_as_dataframe_split(scripted, load):
    rows = pd.DataFrame(
        {
            "x": [0.1, np.nan],
            "y": np.array([0.1, 2.0], dtype="float32"),
            "n": [2**53 + 1, -5],
            "u": np.array([2**64 - 1, 0], dtype="uint64"),
            "some": pd.array([1, None], dtype="Int64"),
            "flag": [True, False],
            "perhaps": pd.array([True, None], dtype="boolean"),
            "text": ["ä", None],
            "level": pd.Categorical(["b", None]),
            "code": pd.Categorical([3, 1]),
            "when": pd.to_datetime(["2026-01-02T03:04:05.678", None]),
            "there": pd.to_datetime(["2026-01-02", "2026-07-02"]).tz_localize("Europe/Vienna"),
            "day": [dt.date(2026, 1, 2), None],
            "mixed": [1, 2.5],
            "object": pd.Series([1, 2.5], dtype=object),
        }
    )
    load(f"{scripted.url}/invocations")
    scripted.answer = lambda asked: asked.reply(200, {"predictions": [0.5] * asked.rows})
    load(f"{scripted.url}/invocations").predict(rows, "probability")
    (asked,) = scripted.asked
    assert asked.path == "/invocations"
    times = (
        ("2026-01-02T03:04:05.678000", "2026-01-02T00:00:00+01:00", "2026-01-02", 1.0, 1.0),
        (None, "2026-07-02T00:00:00+02:00", None, 2.5, 2.5),
    )
    assert asked.headers["Content-Type"] == "application/json"
    assert asked.body == {
        "dataframe_split": {
            "columns": list(rows.columns),
            "data": [
                [
                    *(0.1, float(np.float32(0.1)), 2**53 + 1, 2**64 - 1, 1.0, True, 1.0, "ä", "b", 3),
                    *times[0],
                ],
                [*(None, 2.0, -5, 0, None, False, None, None, None, 1), *times[1]],
            ],
        }
    }


@pytest.mark.parametrize(
    ("values", "what"),
    [
        ([1.0, np.inf], "has 1 infinite number"),
        ([-np.inf, np.inf], "has 2 infinite numbers"),
        ([b"x", b"y"], "has values of type bytes"),
        ([[1], [2]], "has values of type list"),
        ([1, "x"], "has values of type int, str"),
        ([decimal.Decimal("0.1")] * 2, "has values of type Decimal"),
        (pd.to_timedelta([1, 2]), "has values of type Timedelta"),
    ],
)
def test_what_json_cannot_carry(values, what, scripted, load):
    source = f"{scripted.url}/invocations"
    assert message(InvalidError, load, source, pd.DataFrame({"col": values})) == (
        f"Column 'col' {what}, which JSON cannot carry to '{source}'.\n"
        "  Numbers, text, truth values and times can be sent: make it one of these, or leave it out."
    )
    assert scripted.asked == []


def test_answers_keep_the_order_of_the_rows(scripted, load, monkeypatch):
    monkeypatch.setenv("MODEL_GATE_ENDPOINT_CONCURRENCY", "3")
    monkeypatch.setenv("MODEL_GATE_ENDPOINT_ROWS", "3")

    together = threading.Barrier(3)

    def late(asked):
        first = asked.column("b")[0]
        if first < 9:  # the first three wait for each other, or for nothing if they cannot be three
            together.wait(5)
        time.sleep(0.03 if first % 2 else 0.0)
        asked.reply(200, {"predictions": asked.column("a")})

    scripted.answer = late
    said = load(f"{scripted.url}/invocations").predict(ROWS, "value")
    np.testing.assert_array_equal(said, ROWS["a"])
    assert len(scripted.asked) == 14
    assert scripted.at_once == 3


def test_requests_are_halved_until_they_are_small_enough(scripted, load, monkeypatch):
    monkeypatch.setenv("MODEL_GATE_ENDPOINT_BYTES", "200")
    said = load(f"{scripted.url}/invocations").predict(ROWS, "probability")
    assert said.tolist() == [0.25] * 20 + [0.75] * 20
    assert all(len(json.dumps(asked.body, separators=(",", ":"))) <= 200 for asked in scripted.asked)
    monkeypatch.setenv("MODEL_GATE_ENDPOINT_BYTES", "60")
    source = f"{scripted.url}/invocations"
    assert message(InvalidError, load, source) == (
        f"One row for '{source}' has 75 bytes as JSON, and 60 are sent at once.\n"
        "  MODEL_GATE_ENDPOINT_BYTES is how many are sent at once."
    )


def test_one_answer_serves_every_form(scripted, load):
    scripted.answer = lambda asked: asked.reply(200, {"predictions": ["no"] * asked.rows})
    said = score(load(f"{scripted.url}/invocations"), [ROWS], ["label", "score", "probability"])
    assert (said.labels.tolist(), said.probability, said.score) == (["no"] * 40, None, None)
    assert len(scripted.asked) == 4


# ---------------------------------------------------------------------------- credentials and addresses


def test_headers_go_to_their_address_alone(scripted, scripted_too, load, monkeypatch, tmp_path):
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login ann password s3cret")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    headers = {scripted.url: {"Authorization": "Bearer t0ken", "X-Team": "risk", "Host": "credit.example"}}
    monkeypatch.setenv("MODEL_GATE_ENDPOINT_HEADERS", json.dumps(headers))
    scripted.answer = lambda asked: asked.reply(
        200, {"predictions": [0.5] * asked.rows}, Set_Cookie="session=1; Path=/"
    )
    for server in (scripted, scripted_too):
        load(f"{server.url}/invocations").predict(ROWS, "probability")
    for asked in scripted.seen:
        assert (asked.headers["Authorization"], asked.headers["X-Team"]) == ("Bearer t0ken", "risk")
        assert asked.headers["Host"] == "credit.example"
    for asked in scripted_too.seen:
        assert not {"Authorization", "X-Team"} & set(asked.headers)
    assert not any("Cookie" in asked.headers for asked in scripted.seen)


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("token", "MODEL_GATE_ENDPOINT_HEADERS is no JSON."),
        (
            '{"https://h": "Bearer s3cret"}',
            "MODEL_GATE_ENDPOINT_HEADERS must have the headers of each address by name.",
        ),
        ("[]", "MODEL_GATE_ENDPOINT_HEADERS must have the headers of each address by name."),
        (
            '{"https://h/path": {"A": "s3cret"}}',
            "MODEL_GATE_ENDPOINT_HEADERS must name addresses as http://host:port, which number 1 is not.",
        ),
        (
            '{"https://h": {"A": "s3cret\\r\\nB: c"}}',
            "MODEL_GATE_ENDPOINT_HEADERS has a header for https://h that cannot be sent: a name without "
            "spaces, and as its value text of printable ASCII characters, was needed.",
        ),
        (
            '{"https://h": {"A": 3}}',
            "MODEL_GATE_ENDPOINT_HEADERS has a header for https://h that cannot be sent: a name without "
            "spaces, and as its value text of printable ASCII characters, was needed.",
        ),
    ],
)
def test_headers_that_make_no_sense(text, what, scripted, load, monkeypatch):
    monkeypatch.setenv("MODEL_GATE_ENDPOINT_HEADERS", text)
    assert message(ConfigurationError, load, f"{scripted.url}/invocations") == (
        f"{what}\n  Write MODEL_GATE_ENDPOINT_HEADERS="
        '\'{"https://host": {"Authorization": "Bearer ..."}}\', or unset it.'
    )


@pytest.mark.parametrize(
    ("name", "text", "least", "default"),
    [
        ("ROWS", "0", 1, 1000),
        ("BYTES", "1e6", 1, 1000000),
        ("CONCURRENCY", "-1", 1, 4),
        ("RETRIES", "often", 0, 3),
    ],
)
def test_limits_that_are_none(name, text, least, default, scripted, load, monkeypatch):
    variable = f"MODEL_GATE_ENDPOINT_{name}"
    monkeypatch.setenv(variable, text)
    assert message(ConfigurationError, load, f"{scripted.url}/invocations") == (
        f"{variable} must be a whole number, at least {least}, got '{text}'.\n"
        f"  Write for example {variable}={default}, or unset it."
    )


def test_a_time_that_is_none(scripted, load, monkeypatch):
    monkeypatch.setenv("MODEL_GATE_ENDPOINT_TIMEOUT", "soon")
    assert message(ConfigurationError, load, f"{scripted.url}/invocations") == (
        "MODEL_GATE_ENDPOINT_TIMEOUT must be a number of seconds above 0, got 'soon'.\n"
        "  Write for example MODEL_GATE_ENDPOINT_TIMEOUT=300, or unset it."
    )


FORMS = (
    "\n  Write http://host:5000/invocations for MLflow, or http://host:8080/v2/models/NAME (with /versions/3 "
    "behind it) for the Open Inference Protocol of KServe, Seldon and Triton."
)
LONG = "x" * 70
SECRET = (
    '\n  Take it out, and set MODEL_GATE_ENDPOINT_HEADERS=\'{"https://h": {"Authorization": "Bearer ..."}}\'.'
)


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("http://h/score", f"'http://h/score' names no endpoint that is known here.{FORMS}"),
        ("http://h/v2/models/", f"'http://h/v2/models/' names no endpoint that is known here.{FORMS}"),
        ("http://h/v2/models/a/b", f"'http://h/v2/models/a/b' names no endpoint that is known here.{FORMS}"),
        ("http:///invocations", f"'http:///invocations' is no address of a server.{FORMS}"),
        ("http://h:port/invocations", f"'http://h:port/invocations' is no address of a server.{FORMS}"),
        ("http://ä..b/invocations", f"'http://ä..b/invocations' is no address of a server.{FORMS}"),
        (f"http://{LONG}/invocations", f"'http://{LONG}/invocations' is no address of a server.{FORMS}"),
        ("http://h /invocations", f"'http://h /invocations' is no address of a server.{FORMS}"),
        (
            "https://ann:s3cret@h/invocations",
            "'https://***@h/invocations' has a password in it, and everybody reads the sources of models."
            + SECRET,
        ),
        (
            "https://h/invocations?key=s3cret",
            "'https://h/invocations?key=***' has a query in it, and everybody reads the sources of models."
            + SECRET,
        ),
        (
            "http://h/invocations#a,,b",
            "'http://h/invocations#a,,b' does not say after # which outputs are the predictions.\n"
            "  Write #output, or #class=output,class=output for several classes.",
        ),
    ],
)
def test_what_is_no_endpoint(source, text, load):
    with pytest.raises(ConfigurationError) as caught:
        load(source)
    assert str(caught.value) == text


def test_a_redirect_is_not_followed(scripted, scripted_too, load, monkeypatch):
    monkeypatch.setenv(
        "MODEL_GATE_ENDPOINT_HEADERS", json.dumps({scripted.url: {"Authorization": "Bearer t0ken"}})
    )
    where = f"{scripted_too.url}/invocations?key=s3cret"
    scripted.answer = lambda asked: asked.reply(307, b"", Location=where)
    source = f"{scripted.url}/invocations"
    assert message(EvaluationError, load, source) == (
        f"'{source}' answered 307 (Temporary Redirect) and names another address ({scripted_too.url}), which "
        "is not followed: rows and credentials go where the source says, and nowhere else.\n"
        "  Name the address that answers."
    )
    assert scripted_too.seen == []


@pytest.mark.parametrize("status", [401, 403])
def test_a_refusal_says_what_to_set_and_no_secret(status, scripted, load, monkeypatch):
    name = {401: "Unauthorized", 403: "Forbidden"}[status]
    scripted.answer = lambda asked: asked.reply(
        status, {"error": f"bad token {asked.headers.get('Authorization', 'none')}, see http://u:p@h/x"}
    )
    source, setting = f"{scripted.url}/invocations", "MODEL_GATE_ENDPOINT_HEADERS"
    start = f"'{source}' refused with {status} ({name}): bad token "
    end = (
        f'  {setting} names what is sent along: \'{{"{scripted.url}": {{"Authorization": "Bearer ..."}}}}\'; '
    )
    assert message(UnavailableError, load, source) == (
        f"{start}none, see http://***@h/x.\n{end}it has no headers for this address."
    )
    monkeypatch.setenv(setting, json.dumps({scripted.url: {"Authorization": "Bearer t0ken-abc"}}))
    assert message(UnavailableError, load, source) == (
        f"{start}***, see http://***@h/x.\n{end}the headers that it has were sent."
    )


# ------------------------------------------------------------------------------- trying it once more


def test_a_busy_server_is_asked_again(scripted, load, monkeypatch):
    monkeypatch.setenv("MODEL_GATE_ENDPOINT_RETRIES", "2")
    statuses = iter([503, 429, 200])

    def busy(asked):
        status = next(statuses)
        asked.reply(status, {"predictions": asked.column("a")} if status == 200 else {})

    scripted.answer = busy
    said = load(f"{scripted.url}/invocations").predict(ROWS[:10], "value")
    np.testing.assert_array_equal(said, ROWS["a"][:10])
    assert len({json.dumps(asked.body) for asked in scripted.asked}) == 1 < len(scripted.asked) == 3


@pytest.mark.parametrize(("retries", "times"), [("0", ""), ("1", ", and once more")])
def test_a_server_that_stays_busy(retries, times, scripted, load, monkeypatch):
    monkeypatch.setenv("MODEL_GATE_ENDPOINT_RETRIES", retries)
    scripted.answer = lambda asked: asked.reply(503, b"<html>no upstream</html>", Content_Type="text/html")
    source = f"{scripted.url}/invocations"
    assert message(UnavailableError, load, source, ROWS[:10]) == (
        f"'{source}' answered 503 (Service Unavailable) while scoring 10 rows{times}.\n"
        "  Look at the server, or send less at once: MODEL_GATE_ENDPOINT_RETRIES is how often it is asked "
        "again, MODEL_GATE_ENDPOINT_CONCURRENCY how many requests are under way."
    )
    assert len(scripted.asked) == int(retries) + 1


def test_a_server_says_how_long_to_wait(scripted, load, monkeypatch):
    monkeypatch.setenv("MODEL_GATE_ENDPOINT_RETRIES", "1")
    times = []

    def busy(asked):
        times.append(time.monotonic())
        if len(times) == 1:
            asked.reply(429, {}, Retry_After="1")
        else:
            asked.reply(200, {"predictions": [0.5] * asked.rows})

    scripted.answer = busy
    load(f"{scripted.url}/invocations").predict(ROWS[:10], "value")
    assert times[1] - times[0] >= 1


@pytest.mark.parametrize("after", ["120", "Fri, 31 Dec 2100 23:59:59 GMT"])
def test_a_server_asks_to_wait_too_long(after, scripted, load, monkeypatch):
    monkeypatch.setenv("MODEL_GATE_ENDPOINT_RETRIES", "1")
    scripted.answer = lambda asked: asked.reply(429, {}, Retry_After=after)
    source = f"{scripted.url}/invocations"
    text = message(UnavailableError, load, source, ROWS[:10])
    if after == "120":
        assert text == (
            f"'{source}' answered 429 (Too Many Requests) and asks to wait 120 seconds while scoring 10 "
            "rows, and no time is left of 60 seconds.\n"
            "  Run the gate again later; MODEL_GATE_ENDPOINT_TIMEOUT is how many seconds a request may take "
            "with all pauses."
        )
    assert len(scripted.asked) == 1


def _hang_up(asked):
    asked.handler.connection.close()
    asked.handler.close_connection = True
    raise OSError


def test_a_lost_connection_is_made_again(scripted, load, monkeypatch):
    monkeypatch.setenv("MODEL_GATE_ENDPOINT_RETRIES", "1")
    calls = []

    def flaky(asked):
        calls.append(1)
        _hang_up(asked) if len(calls) == 1 else asked.reply(200, {"predictions": [0.5] * asked.rows})

    scripted.answer = flaky
    assert len(load(f"{scripted.url}/invocations").predict(ROWS[:10], "value")) == 10
    assert len(calls) == 2


@pytest.mark.parametrize(
    ("retries", "again"), [("0", ""), ("1", ", also when it was asked again"), ("2", ", also 2 times later")]
)
def test_a_connection_that_is_always_lost(retries, again, scripted, load, monkeypatch):
    monkeypatch.setenv("MODEL_GATE_ENDPOINT_RETRIES", retries)
    scripted.answer = _hang_up
    source = f"{scripted.url}/invocations"
    how = ", MODEL_GATE_ENDPOINT_RETRIES how often it is asked again." if again else "."
    assert message(UnreachableError, load, source, ROWS[:10]) == (
        f"The server {scripted.url} of '{source}' cannot be reached: it closed the connection before it had "
        f"answered{again}.\n"
        f"{START}{how}"
    )


def test_an_error_is_not_tried_again(scripted, load, monkeypatch):
    monkeypatch.setenv("MODEL_GATE_ENDPOINT_RETRIES", "3")
    scripted.answer = lambda asked: asked.reply(500, {"error": "no"})
    message(EvaluationError, load, f"{scripted.url}/invocations", ROWS[:10])
    assert len(scripted.asked) == 1


# --------------------------------------------------------------------------- silent, slow, dead, and TLS


def test_a_dead_server(unused_port, load):
    source = f"http://127.0.0.1:{unused_port}/invocations"
    with pytest.raises(UnreachableError) as caught:
        load(source)
    assert caught.value.prefixes == (f"http://127.0.0.1:{unused_port}/",)
    assert str(caught.value) == (
        f"The server http://127.0.0.1:{unused_port} of '{source}' cannot be reached: it refuses "
        "connections.\n"
        f"{START}."
    )


def test_a_host_that_is_none(load):
    source = "http://no-such-host.invalid/invocations"
    assert message(UnreachableError, load, source) == (
        f"The server http://no-such-host.invalid of '{source}' cannot be reached: there is no host of this "
        f"name.\n{START}."
    )


def _drip_headers(asked):
    asked.handler.wfile.write(b"HTTP/1.1 200 OK\r\nX-Long: ")
    while not asked.handler.server._BaseServer__shutdown_request:
        asked.handler.wfile.write(b"x")
        asked.handler.wfile.flush()
        time.sleep(0.05)


def _drip_body(asked):
    asked.handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
    while not asked.handler.server._BaseServer__shutdown_request:
        asked.handler.wfile.write(b" " * 1000)
        asked.handler.wfile.flush()
        time.sleep(0.02)


def test_a_server_that_says_nothing_of_itself_in_time(scripted, load, monkeypatch):
    monkeypatch.setenv("MODEL_GATE_TIMEOUT", "0.3")
    source = f"{scripted.url}/invocations"
    for silent in (lambda asked: scripted.over.wait(5), _drip_headers):
        scripted.about = silent
        begun = time.monotonic()
        assert message(UnreachableError, load, source) == (
            f"The server {scripted.url} of '{source}' did not answer within 0.3 seconds.\n{START}."
        )
        assert time.monotonic() - begun < 5


@pytest.mark.parametrize("how", ["silent", "headers", "body"])
def test_a_server_that_does_not_score_in_time(how, scripted, load, monkeypatch):
    monkeypatch.setenv("MODEL_GATE_ENDPOINT_TIMEOUT", "0.5")
    scripted.answer = {
        "silent": lambda asked: scripted.over.wait(5),
        "headers": _drip_headers,
        "body": _drip_body,
    }[how]
    source = f"{scripted.url}/invocations"
    begun = time.monotonic()
    text = message(UnavailableError, load, source, ROWS[:10])
    assert time.monotonic() - begun < 5
    start = f"'{source}' did not score 10 rows within 0.5 seconds: it had "
    end = (
        ".\n  MODEL_GATE_ENDPOINT_TIMEOUT is how many seconds a request may take; MODEL_GATE_ENDPOINT_ROWS "
        "makes it smaller."
    )
    middle = "not ended its answer" if how == "body" else "not begun to answer"
    assert text == start + middle + end


def test_a_server_that_speaks_something_else(scripted, load):
    def other(asked):
        asked.handler.wfile.write(b"SSH-2.0-OpenSSH_9.9\r\n")
        asked.handler.close_connection = True

    scripted.answer = other
    source = f"{scripted.url}/invocations"
    assert message(UnreachableError, load, source, ROWS[:10]) == (
        f"The server {scripted.url} of '{source}' cannot be reached: it does not speak HTTP.\n{START}."
    )


def test_an_answer_that_breaks_off(scripted, load):
    def half(asked):
        asked.handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{")
        asked.handler.close_connection = True

    scripted.answer = half
    source = f"{scripted.url}/invocations"
    assert message(UnreachableError, load, source, ROWS[:10]) == (
        f"The server {scripted.url} of '{source}' cannot be reached: it closed the connection before it had "
        f"answered.\n{START}."
    )


def test_requests_is_imported_with_the_first_request():
    code = (
        "import sys\nfrom pytest_model_gate.models.builtin import model_gate_model\n"
        "import pytest_model_gate.models.endpoints.model\nprint('requests' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout == "False\n"


@pytest.mark.parametrize("host", ["h%zz", "-"])
def test_a_host_that_cannot_be(host, load):
    text = message(UnreachableError, load, f"http://{host}/invocations")
    assert "cannot be reached: there is no host of this name." in text


def test_a_failure_ends_what_has_not_begun(scripted, load, monkeypatch):
    monkeypatch.setenv("MODEL_GATE_ENDPOINT_ROWS", "1")
    monkeypatch.setenv("MODEL_GATE_ENDPOINT_CONCURRENCY", "2")

    def fails(asked):
        if asked.column("b") != [0]:
            scripted.over.wait(0.3)
            return asked.reply(200, {"predictions": [0.5]})
        return asked.reply(500, {"error": "the first"})

    scripted.answer = fails
    source = f"{scripted.url}/invocations"
    before = threading.active_count()
    assert message(EvaluationError, load, source) == (
        f"'{source}' answered 500 (Internal Server Error) while scoring 1 row: the first.{LOG}"
    )
    time.sleep(0.5)
    assert len(scripted.asked) <= 3
    assert threading.active_count() <= before + 4


def test_a_certificate_that_nobody_signed(load, tmp_path, monkeypatch):
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    _write_certificate(key, certificate)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    running = serving(Scripted(), context)
    server = next(running)
    source = f"{server.url}/invocations"
    assert message(UnavailableError, load, source) == (
        f"The certificate of {server.url} is not accepted (self-signed certificate), so '{source}' was not "
        "asked.\n  Set REQUESTS_CA_BUNDLE to the file of the authority that signed it."
    )
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))
    assert len(load(source).predict(ROWS, "probability")) == 40
    other = source.replace("127.0.0.1", "localhost")
    with pytest.raises(
        UnavailableError, match=r"The certificate of https://localhost:\d+ is not accepted \(Host"
    ):
        load(other)
    next(running, None)


def _write_certificate(key: Path, certificate: Path) -> None:
    import ipaddress

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    private = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "test")])
    now = dt.datetime.now(dt.UTC)
    address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(private.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([address]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(private, hashes.SHA256())
    )
    certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    encoding, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    key.write_bytes(private.private_bytes(encoding, form, serialization.NoEncryption()))


def test_a_server_without_tls(scripted, load):
    source = f"{scripted.url}/invocations".replace("http:", "https:")
    origin = scripted.url.replace("http:", "https:")
    assert message(UnreachableError, load, source) == (
        f"The server {origin} of '{source}' cannot be reached: it does not speak TLS as https:// needs it.\n"
        f"{START}."
    )


# ------------------------------------------------------------------------------------- wrong answers


def answering(scripted, content, status=200, **headers):
    scripted.answer = lambda asked: asked.reply(status, content, **headers)
    return f"{scripted.url}/invocations"


@pytest.mark.parametrize(
    ("content", "kind", "what"),
    [
        (b"<!DOCTYPE html><title>Log in</title>", "text/html", "a page (HTML)"),
        (b" <html>", "application/json", "a page (HTML)"),
        (b"hello", "text/plain", "'text/plain'"),
        (b"hello", "", "something"),
        (b'{"predictions": [0.5', "application/json", "what is called JSON and cannot be read as that"),
        (b"\xff\xfe", "application/json", "what is called JSON and cannot be read as that"),
        (b"[" * 100_000, "application/json", "what is called JSON and cannot be read as that"),
    ],
)
def test_an_answer_that_is_no_json(content, kind, what, scripted, load):
    source = answering(scripted, content, Content_Type=kind)
    assert message(EvaluationError, load, source) == (
        f"'{source}' answered with {what}, and JSON was needed.\n"
        "  Is that a proxy, or a page to log in? Ask it by hand: curl -i ADDRESS"
    )


@pytest.mark.parametrize(
    ("content", "what", "remedy"),
    [
        (
            {"predictions": [0.5] * 9},
            "gave 9 predictions for 10 rows.",
            "It must give one for each row, in the order of the rows.",
        ),
        (
            {"predictions": []},
            "gave 0 predictions for 10 rows.",
            "It must give one for each row, in the order of the rows.",
        ),
        (
            {"outputs": [1], "x": 2},
            "answered without a list of 'predictions', only 'outputs', 'x'.",
            "Serve the model with MLflow 2 or newer: mlflow models serve -m MODEL",
        ),
        (
            {"predictions": {"a": 1}},
            "answered without a list of 'predictions'.",
            "Serve the model with MLflow 2 or newer: mlflow models serve -m MODEL",
        ),
        (
            [0.5] * 10,
            "answered without a list of 'predictions'.",
            "Serve the model with MLflow 2 or newer: mlflow models serve -m MODEL",
        ),
        (
            {"predictions": [0.5] * 9 + ["no"]},
            "gives predictions that are no numbers, labels or probabilities, but numbers and text.",
            "Let it give one value for each row, or one probability for each class.",
        ),
        (
            {"predictions": [[[0.5]]] * 10},
            "gives predictions that are no numbers, labels or probabilities, but lists.",
            "Let it give one value for each row, or one probability for each class.",
        ),
        (
            {"predictions": [[0.5, 0.5]] * 9 + [[0.5]]},
            "gives one form of prediction for some rows and another for others.",
            "Return the same shape and type for all rows.",
        ),
        (
            {"predictions": [{"no": 0.5, "yes": 0.5}] * 9 + [{"no": 1}]},
            "gives other columns for some rows than for others.",
            "Let the model return one data frame with the same columns for all rows.",
        ),
        (
            {"predictions": [{"id": "r", "p": 0.5}] * 10},
            "gives predictions that are no numbers, labels or probabilities, but numbers and text.",
            "Let it give one value for each row, or one probability for each class.",
        ),
        (
            {"predictions": [["a", "b"]] * 10},
            "gives several values for each row, and not all are numbers.",
            "Name one of them after #, or give one column of probabilities for each class and no other.",
        ),
    ],
)
def test_an_answer_that_is_no_prediction(content, what, remedy, scripted, load):
    source = answering(scripted, content)
    assert message(InvalidError, load, source) == f"'{source}' {what}\n  {remedy}"


def test_numbers_that_are_none_are_nan(scripted, load):
    """The gate finds them: it asks for finite numbers of every model."""
    for content in (b"NaN", b"null", b"Infinity"):
        source = answering(scripted, b'{"predictions": [0.5, ' + content + b"]}")
        said = load(source).predict(ROWS[:2], "value")
        assert not np.isfinite(said[1])


@pytest.mark.parametrize(
    ("values", "want", "expected"),
    [
        ([[0.25, 0.75]] * 2, "probability", [[0.25, 0.75]] * 2),
        ([[0.5]] * 2, "probability", [0.5, 0.5]),
        ([1, 0.5], "probability", [1.0, 0.5]),
        ([1, 0], "label", [1, 0]),
        ([1, 0], "probability", None),
        ([2**70, 1], "value", [2.0**70, 1.0]),
        ([10**400, -(10**400)], "value", [np.inf, -np.inf]),
        ([10**400, 0.5], "value", [np.inf, 0.5]),
        ([True, False], "label", [True, False]),
        (["a", None], "label", ["a", None]),
        ([{"p": 0.5}] * 2, "probability", [0.5, 0.5]),
        ([{"0": 0.5, "1": 0.5}] * 2, "probability", [[0.5, 0.5]] * 2),
    ],
)
def test_what_a_list_of_predictions_may_be(values, want, expected, scripted, load):
    model = load(answering(scripted, {"predictions": values}))
    said = model.predict(ROWS[:2], want)
    assert said is None if expected is None else said.tolist() == expected
    assert model.classes == ((0, 1) if isinstance(values[0], dict) and len(values[0]) > 1 else None)


def test_whole_numbers_in_one_request_and_fractions_in_another(scripted, load):
    scripted.answer = lambda asked: asked.reply(
        200, {"predictions": [1] * 10 if asked.column("b")[0] else [0.5] * 10}
    )
    said = load(f"{scripted.url}/invocations").predict(ROWS, "probability")
    assert said.tolist() == [0.5] * 10 + [1.0] * 30


def test_an_answer_that_never_ends(scripted, load):
    def endless(asked):
        asked.handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 999999999\r\n\r\n")
        while True:
            asked.handler.wfile.write(b" " * 100_000)

    scripted.answer = endless
    source = f"{scripted.url}/invocations"
    assert message(EvaluationError, load, source, ROWS[:10]) == (
        f"'{source}' sent more than 1,040,960 bytes as its answer.\n"
        "  Find out what it says: predictions need far less."
    )


TRACE = (
    "Traceback (most recent call last):\n  File \"x.py\", line 1\nValueError: bad value 'northwest' at "
    "0.12345 of ['a'].\nmore of it\n"
)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (
            {"error_code": "BAD_REQUEST", "message": "m", "stack_trace": TRACE},
            ": ValueError: bad value '...' at ... of ['a']",
        ),
        (
            {"message": "Failed to predict data '   place\n0 northwest'. \nError: no column x."},
            ": no column x",
        ),
        ({"error": "first\nsecond"}, ": first"),
        ({"error": "row=northwest,3.25 is bad in place"}, ": row=...,... is bad in place"),
        ({"detail": [{"msg": "field required", "input": "northwest"}]}, ": field required"),
        ({"error": {"code": 1}}, ""),
        ({}, ""),
        (b"Internal Server Error: northwest", ""),
    ],
)
def test_what_a_server_says_about_its_error_without_rows(content, told, scripted, load):
    source = answering(scripted, content, 500)
    rows = ROWS.assign(place="northwest")
    assert message(EvaluationError, load, source, rows[:10]) == (
        f"'{source}' answered 500 (Internal Server Error) while scoring 10 rows{told}.{LOG}"
    )


def test_more_than_it_takes_at_once(scripted, load):
    source = answering(scripted, b"", 413)
    text = message(EvaluationError, load, source, ROWS[:1])
    assert text == (
        f"'{source}' does not take 59 bytes in one request: it answered 413 ({responses[413]}).\n"
        "  MODEL_GATE_ENDPOINT_BYTES is how many are sent at once (1,000,000 now)."
    )


def test_a_server_that_is_replaced_while_it_is_asked(scripted, load):
    versions = iter([b"3.16.0", b"3.17.0"])
    scripted.about = lambda asked: asked.reply(200, next(versions))
    model = load(f"{scripted.url}/invocations")
    assert model.resolved == f"{scripted.url}/invocations (MLflow 3.16.0)"
    with pytest.raises(InvalidError) as caught:
        model.predict(ROWS, "probability")
    assert str(caught.value) == (
        f"'{scripted.url}/invocations' says something else about itself than before its first answer: it was "
        "changed while it was judged.\n  Run the gate again when nothing is deployed there."
    )


def test_a_server_that_dies_while_it_is_asked(load, monkeypatch):
    running = serving(Scripted())
    server = next(running)
    source = f"{server.url}/invocations"
    model = load(source)
    model.predict(ROWS, "probability")
    server.answer = _hang_up  # a connection that is kept open outlives the server that listened
    next(running, None)
    with pytest.raises(
        UnreachableError, match=r"cannot be reached: it (refuses connections|closed the connection)"
    ):
        model.predict(ROWS.copy(), "probability")
