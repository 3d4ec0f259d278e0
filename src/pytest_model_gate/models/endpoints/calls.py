"""One request to an endpoint: bounded in time and size, sent again where that may help, never elsewhere."""

from __future__ import annotations

import json
import threading
import time
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from http.client import responses
from typing import TYPE_CHECKING, Any

from ...errors import EvaluationError, UnavailableError
from ...waiting import seconds, within
from .address import Address
from .limits import RETRIES, TIMEOUT, Limits
from .troubles import Lost, lost, unreachable

if TYPE_CHECKING:
    from requests import Session

#: What a server answers that is busy, or restarting: the same request may succeed a little later.
AGAIN = (429, 502, 503, 504)
#: Seconds before the first request that is sent again; doubled each time.
_PAUSE = 0.25
_PIECE = 65536
#: More than what a server says of itself.
_LONGEST = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a server answered: its status, what it calls it, and all of it."""

    status: int
    kind: str
    content: bytes
    #: Where else to ask, or how long to wait.
    hint: str = ""

    def parsed(self) -> Any:
        """Return what it says as JSON.

        Raises
        ------
        ValueError
            If it is none.
        """
        try:
            return json.loads(self.content)
        except RecursionError:
            raise ValueError("too deep") from None


@dataclass
class _Got:
    """What came of an answer so far."""

    begun: bool = False
    bytes: int = 0


@dataclass(frozen=True, eq=False)
class Client:
    """Speaks with one server."""

    address: Address
    limits: Limits
    _made: list[Session] = field(default_factory=list, repr=False)

    def look(self, url: str) -> Answer:
        """Return what the server says of itself; a server that is not there costs a few seconds.

        Raises
        ------
        UnreachableError
            If it does not answer.
        """
        until = time.monotonic() + seconds()
        for last in (False, True):
            try:
                return self._bounded("GET", url, None, until, _LONGEST, _Got())
            except Lost as error:
                if last or error.for_good:
                    raise unreachable(self.address, error) from None
            except TimeoutError:
                raise unreachable(self.address, None) from None
        raise AssertionError("unreachable: the last attempt returns or raises")

    def score(self, url: str, body: bytes, rows: str, longest: int, stop: threading.Event) -> Answer:
        """Send rows, and return the answer, whatever its status is.

        Parameters
        ----------
        url, body : str, bytes
            Where to, and JSON.
        rows : str
            What errors call them: ``"200 rows"``.
        longest : int
            So many bytes are an answer at most.
        stop : threading.Event
            Set when nobody waits any more.

        Raises
        ------
        EvaluationError
            If it takes too long, says too much or cannot be reached.
        """
        shown, until = self.address.source, time.monotonic() + self.limits.seconds
        attempt, pause = 0, _PAUSE
        while True:
            got = _Got()
            trouble: Lost | None = None
            answer: Answer | None = None
            try:
                answer = self._bounded("POST", url, body, until, longest, got)
            except Lost as error:
                trouble = error
            except TimeoutError:
                came = "had not ended its answer" if got.begun else "had not begun to answer"
                raise UnavailableError(
                    f"'{shown}' did not score {rows} within {self.limits.seconds:g} seconds: it {came}.",
                    f"{TIMEOUT} is how many seconds a request may take; MODEL_GATE_ENDPOINT_ROWS makes it "
                    "smaller.",
                ) from None
            if answer is not None and answer.status not in AGAIN:
                return answer
            if trouble is not None and (trouble.for_good or attempt >= self.limits.retries):
                raise unreachable(self.address, trouble, after=attempt)
            if answer is not None and attempt >= self.limits.retries:
                raise UnavailableError(
                    f"'{shown}' answered {said(answer.status)} while scoring {rows}{_times(attempt)}.",
                    f"Look at the server, or send less at once: {RETRIES} is how often it is asked again, "
                    "MODEL_GATE_ENDPOINT_CONCURRENCY how many requests are under way.",
                )
            asked = 0.0 if answer is None else _retry_after(answer)
            wait = max(pause, asked)
            if time.monotonic() + wait >= until:
                wanted = f" and asks to wait {asked:g} seconds" if asked else ""
                what = f"answered {said(answer.status)}{wanted}" if answer is not None else str(trouble)
                raise UnavailableError(
                    f"'{shown}' {what} while scoring {rows}, and no time is left of "
                    f"{self.limits.seconds:g} seconds.",
                    f"Run the gate again later; {TIMEOUT} is how many seconds a request may take with all "
                    "pauses.",
                )
            if stop.wait(wait):
                raise EvaluationError(f"'{shown}' was not asked again: another request had failed.")
            attempt, pause = attempt + 1, pause * 2

    def _bounded(
        self, method: str, url: str, body: bytes | None, until: float, longest: int, got: _Got
    ) -> Answer:
        """Ask once. What drips byte by byte passes every limit of a socket, so a clock of our own runs."""
        left = until - time.monotonic()
        if left <= 0:
            raise TimeoutError
        over = threading.Event()
        try:
            return within(left, lambda: self._once(method, url, body, left, longest, got, over))
        finally:
            over.set()

    def _once(
        self,
        method: str,
        url: str,
        body: bytes | None,
        left: float,
        longest: int,
        got: _Got,
        over: threading.Event,
    ) -> Answer:
        import requests

        headers = {
            "Accept": "application/json",
            "Accept-Encoding": "identity",
            "User-Agent": "pytest-model-gate",
            **({"Content-Type": "application/json"} if body is not None else {}),
            **self.limits.headers,
        }
        try:
            with self._session.request(
                method,
                url,
                data=body,
                headers=headers,
                auth=_as_it_is,
                stream=True,
                allow_redirects=False,
                timeout=(min(seconds(), left), left),
            ) as answer:
                got.begun, pieces = True, []
                for piece in answer.iter_content(_PIECE):
                    got.bytes += len(piece)
                    pieces.append(piece)
                    if got.bytes > longest:
                        raise EvaluationError(
                            f"'{self.address.source}' sent more than {longest:,} bytes as its answer.",
                            "Find out what it says: predictions need far less.",
                        )
                    if over.is_set():
                        raise TimeoutError
                return Answer(
                    status=answer.status_code,
                    kind=answer.headers.get("Content-Type", "").partition(";")[0].strip().lower(),
                    content=b"".join(pieces),
                    hint=answer.headers.get("Retry-After" if answer.status_code in AGAIN else "Location", ""),
                )
        except requests.exceptions.RequestException as error:
            raise lost(error) from None

    @property
    def _session(self) -> Session:
        """The connections, made where they are first needed and kept."""
        if not self._made:
            import requests
            from requests.adapters import HTTPAdapter

            session = requests.Session()
            # Cookies would bind all requests to one of several replicas that should agree.
            session.cookies.set_policy(_no_cookies())
            adapter = HTTPAdapter(pool_maxsize=self.limits.at_once)
            session.mount("http://", adapter)
            session.mount("https://", adapter)
            self._made.append(session)
        return self._made[0]


def _as_it_is(request: Any) -> Any:
    """Add no credentials: else requests looks for some in ~/.netrc, in place of the headers that were set."""
    return request


def _no_cookies() -> Any:
    from http.cookiejar import DefaultCookiePolicy

    return DefaultCookiePolicy(allowed_domains=[])


def said(status: int) -> str:
    """Return a status as a reader knows it.

    Examples
    --------
    >>> said(503), said(299)
    ('503 (Service Unavailable)', '299')
    """
    return f"{status} ({responses[status]})" if status in responses else str(status)


def _times(attempt: int) -> str:
    return "" if not attempt else ", and once more" if attempt == 1 else f", and {attempt} times more"


def _retry_after(answer: Answer) -> float:
    """Return how many seconds a busy server asks to wait; 0 where it doesn't say."""
    text = answer.hint.strip()
    if text.isdecimal():
        return float(text)
    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - time.time())
    except (ValueError, OverflowError):
        return 0.0
