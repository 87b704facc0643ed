"""Hold the HTTP client to its deadline, its words and its silence about secrets."""

import base64
import gzip
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from socketserver import BaseRequestHandler, TCPServer
from ssl import PROTOCOL_TLS_SERVER, VERIFY_X509_STRICT, SSLContext

import pytest
from urllib3.util.ssl_ import create_urllib3_context

from autoscaler.http_client import LARGEST_BODY, Answer, HttpError, Login, get, host_of
from tests.http_servers import Handler, dripping, page, pages, raw, serving, silent

_HIDDEN = "hidden"
_LONG_HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 10000\r\n\r\n"
_CHUNKED_HEAD = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


def _error(handler: Handler, seconds: float = 5.0) -> str:
    with serving(handler) as url, pytest.raises(HttpError) as caught:
        get(url, timeout_seconds=seconds).checked().json()
    return str(caught.value).replace(host_of(url), "HOST")


def test_an_answer_is_read_whole() -> None:
    with serving(page('{"jobs": 3}')) as url:
        assert get(url, timeout_seconds=5).checked().json() == {"jobs": 3}


def test_parameters_are_sent_in_the_url() -> None:
    asked: list[str] = []

    def remember(connection, target, headers):
        asked.append(target)
        page("1")(connection, target, headers)

    with serving(remember) as url:
        get(f"{url}/query?tenant=a", timeout_seconds=5, parameters={"query": "sum(x)"})
    assert asked == ["/query?tenant=a&query=sum%28x%29"]


@pytest.mark.parametrize("head", [b"", b"HTTP/1.1 200 OK\r\nX: ", _LONG_HEAD, _CHUNKED_HEAD], ids=["status", "headers", "body", "chunks"])
def test_a_server_that_drips_for_ever_ends_at_the_deadline(head: bytes) -> None:
    began = time.monotonic()
    assert _error(dripping(head), 0.3) == "HOST: no answer within 0.3 s"
    assert time.monotonic() - began < 5


def test_a_silent_server_ends_at_the_deadline() -> None:
    assert _error(silent, 0.3) == "HOST: no answer within 0.3 s"


def test_a_deadline_in_the_past_asks_nothing(free_port: int) -> None:
    with pytest.raises(HttpError, match="no answer within 0 s"):
        get(f"http://127.0.0.1:{free_port}", timeout_seconds=0)


@pytest.mark.parametrize(
    ("handler", "said"),
    [
        (page("", status="503 Whatever"), "HOST answered 503 Service Unavailable"),
        (page("", status="401 Unauthorized"), "HOST answered 401 Unauthorized"),
        (page("", status="599 Odd"), "HOST answered 599"),
        (page("<!DOCTYPE html><p>hello"), "HOST answered with HTML, not JSON"),
        (page("\n <html>502</html>"), "HOST answered with HTML, not JSON"),
        (page(""), "HOST answered with an empty page, not JSON"),
        (page("jobs 3"), "HOST answered with a body that is not JSON"),
        (page("[" * 100_000), "HOST answered with a body that is not JSON"),
        (raw(b"SSH-2.0-OpenSSH\r\n"), "HOST does not speak HTTP"),
        (raw(b""), "HOST closed the connection without an answer"),
        (raw(_LONG_HEAD + b"1"), "HOST closed the connection in the middle of its answer"),
        (raw(_CHUNKED_HEAD + b"5\r\nab"), "HOST closed the connection in the middle of its answer"),
        (page(b"no gzip", headers="Content-Encoding: gzip\r\n"), "HOST closed the connection in the middle of its answer"),
        (page(b"1" * (LARGEST_BODY + 1)), "HOST answered with more than 16 MiB"),
        (page(gzip.compress(b" " * (3 * LARGEST_BODY)), headers="Content-Encoding: gzip\r\n"), "HOST answered with more than 16 MiB"),
    ],
)
def test_a_useless_answer_is_named(handler: Handler, said: str) -> None:
    assert _error(handler) == said


def test_a_redirect_is_named_and_not_followed() -> None:
    target = "http://user:hidden@elsewhere/path?token=hidden"
    said = _error(page("", status="302 Found", headers=f"Location: {target}\r\n"))
    assert said == "HOST answered 302 Found, a redirect to http://elsewhere/path; redirects are not followed, so write that address"


def test_a_redirect_within_a_host_is_named_by_its_path() -> None:
    assert "a redirect to /login;" in _error(page("", status="301 Moved", headers="Location: /login?next=1\r\n"))
    assert _error(page("", status="304 Not Modified")) == "HOST answered 304 Not Modified"


def test_nobody_listening_is_a_refused_connection(free_port: int) -> None:
    with pytest.raises(HttpError, match=rf"^connection refused by 127\.0\.0\.1:{free_port}$"):
        get(f"http://127.0.0.1:{free_port}/", timeout_seconds=5)


def test_every_address_of_a_host_is_tried() -> None:
    with serving(page("7")) as url:
        assert get(url.replace("127.0.0.1", "localhost"), timeout_seconds=5).json() == 7


@pytest.mark.parametrize("url", ["ftp://host/x", "http:///x", "http://me:hidden@/", "http://me:hidden@host:99999/", "http://a b/", "localhost:9090"])
def test_an_address_that_is_none_is_refused_without_showing_it(url: str) -> None:
    with pytest.raises(HttpError, match="not an http or https URL with a host") as caught:
        get(url, timeout_seconds=5)
    assert "hidden" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "said"), [("http://*.x/", "not a host that can"), (f"http://{'a' * 70}/", "not a host that can"), ("http://no.invalid/", "no host named")]
)
def test_an_unknown_host_is_named(url: str, said: str) -> None:
    with pytest.raises(HttpError, match=said):
        get(url, timeout_seconds=5)


def test_a_host_without_a_route_is_named() -> None:
    with pytest.raises(HttpError, match=r"^\[fe80::1\] cannot be reached: "):
        get("http://[fe80::1]/", timeout_seconds=5)  # an address of no interface in particular


def test_a_dropped_connection_is_asked_again() -> None:
    with serving(pages(raw(b""), raw(b""), "5")) as url:
        assert get(url, timeout_seconds=5).json() == 5


def test_an_answer_that_began_is_not_asked_again() -> None:
    with serving(pages(raw(_LONG_HEAD), "5")) as url, pytest.raises(HttpError, match="in the middle"):
        get(url, timeout_seconds=5)


def test_retries_end_with_the_deadline(free_port: int) -> None:
    began = time.monotonic()
    with pytest.raises(HttpError, match="connection refused"):
        get(f"http://127.0.0.1:{free_port}", timeout_seconds=0.04)
    assert time.monotonic() - began < 2


@pytest.mark.parametrize(
    ("login", "sent"),
    [
        (Login(token=_HIDDEN), f"Bearer {_HIDDEN}"),
        (Login(user="me", password=f"ä:{_HIDDEN}"), f"Basic {base64.b64encode(f'me:ä:{_HIDDEN}'.encode()).decode()}"),
        (Login(), None),
    ],
)
def test_a_login_is_sent_as_a_header(login: Login, sent: str | None) -> None:
    seen: list[str | None] = []

    def remember(connection, target, headers):
        seen.append(headers.get("authorization"))
        page("1")(connection, target, headers)

    with serving(remember) as url:
        get(url, timeout_seconds=5, login=login)
    assert seen == [sent]


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"token": "hidden", "user": "me", "password": "hidden"}, "exclude each other"),
        ({"user": "me"}, "belong together"),
        ({"password": "hidden"}, "belong together"),
        ({"token": "hidden\n"}, "line break"),
        ({"token": ""}, "empty"),
        ({"user": "a:b", "password": "hidden"}, "colon"),
    ],
)
def test_a_login_that_cannot_be_sent_is_refused_without_showing_it(fields: dict[str, str], said: str) -> None:
    with pytest.raises(ValueError, match=said) as caught:
        Login(**fields)
    assert "hidden" not in str(caught.value)


def test_secrets_are_not_shown() -> None:
    assert "hidden" not in repr(Login(token=_HIDDEN)) + repr(Login(user="me", password=_HIDDEN))
    assert "hidden" not in repr(Answer("host", 200, "", b"hidden"))


def test_a_refusal_hides_the_user_of_the_url(free_port: int) -> None:
    with pytest.raises(HttpError) as caught:
        get(f"http://me:hidden@127.0.0.1:{free_port}/?token=hidden", timeout_seconds=5)
    assert str(caught.value) == f"connection refused by 127.0.0.1:{free_port}"


def test_proxies_of_the_environment_are_not_used(monkeypatch: pytest.MonkeyPatch, free_port: int) -> None:
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{free_port}")
    with serving(page("5")) as url:
        assert get(url, timeout_seconds=5).json() == 5


def test_text_that_is_not_utf_8_is_marked() -> None:
    assert Answer("host", 200, "", b"caf\xe9").text() == "caf\ufffd"


def test_hosts_are_written_with_brackets_around_ipv6() -> None:
    assert [host_of("https://[::1]:9090/x"), host_of("http://me:hidden@example.org/x")] == ["[::1]:9090", "example.org"]


class _Page(BaseRequestHandler):
    def handle(self) -> None:
        self.request.recv(4096)
        self.request.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n5")


class _QuietServer(TCPServer):
    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing of a client that refused the certificate."""


@pytest.fixture
def tls_server(tmp_path: Path, require_program: Callable[[str], str]) -> Iterator[tuple[str, Path]]:
    """Serve over TLS with a certificate of its own; return the URL and the certificate."""
    certificate, key = _certify(require_program("openssl"), tmp_path / "server", "-subj", "/CN=localhost", *_FOR_LOCALHOST)
    with _serving_tls(certificate, key) as url:
        yield url, certificate


@pytest.fixture
def signed_server(tmp_path: Path, require_program: Callable[[str], str]) -> Iterator[tuple[str, Path]]:
    """Serve over TLS with a certificate that an authority without a key usage has signed; return the URL and the authority."""
    openssl = require_program("openssl")
    authority, authority_key = _certify(openssl, tmp_path / "authority", "-subj", "/CN=authority")
    signed = ("-CA", str(authority), "-CAkey", str(authority_key), "-addext", "basicConstraints=critical,CA:FALSE")
    with _serving_tls(*_certify(openssl, tmp_path / "server", "-subj", "/CN=localhost", *_FOR_LOCALHOST, *signed)) as url:
        yield url, authority


_FOR_LOCALHOST = ("-addext", "subjectAltName=DNS:localhost")


def _certify(openssl: str, path: Path, *options: str) -> tuple[Path, Path]:
    certificate, key = path.with_suffix(".pem"), path.with_suffix(".key")
    made = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-keyout", key, "-out", certificate]
    subprocess.run([openssl, *made, *options], check=True, capture_output=True)
    return certificate, key


@contextmanager
def _serving_tls(certificate: Path, key: Path) -> Iterator[str]:
    context = SSLContext(PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with _QuietServer(("127.0.0.1", 0), _Page) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"https://localhost:{server.server_address[1]}"
        server.shutdown()
        thread.join()


def test_a_certificate_nobody_vouches_for_is_refused(tls_server: tuple[str, Path]) -> None:
    with pytest.raises(HttpError, match=r"^TLS with localhost:.* failed: self-signed certificate"):
        get(tls_server[0], timeout_seconds=5)


def test_the_environment_names_a_trusted_certificate(tls_server: tuple[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    url, certificate = tls_server
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    assert get(url, timeout_seconds=5).json() == 5


def test_an_authority_of_a_cluster_need_not_keep_to_the_letter(signed_server: tuple[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """It lacks a key usage, as those of some Kubernetes clusters do; from Python 3.13 on urllib3 would refuse it."""

    def strict() -> SSLContext:
        context = create_urllib3_context()
        context.verify_flags |= VERIFY_X509_STRICT
        return context

    url, authority = signed_server
    monkeypatch.setenv("SSL_CERT_FILE", str(authority))
    monkeypatch.setattr("autoscaler.http_client.deadline.create_urllib3_context", strict)
    assert get(url, timeout_seconds=5).status == 200


def test_a_missing_certificate_file_is_an_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "absent.pem"))
    with pytest.raises(HttpError, match=r"SSL_CERT_FILE names .*absent.pem, which does not exist"):
        get("https://127.0.0.1:1/", timeout_seconds=5)


def test_plain_http_behind_https_is_a_tls_failure() -> None:
    with serving(page("1")) as url, pytest.raises(HttpError, match=r"^TLS with .* failed"):
        get(url.replace("http://", "https://"), timeout_seconds=5)
