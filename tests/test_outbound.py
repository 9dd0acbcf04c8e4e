"""Requests to other machines: what is refused, what is limited, what a redirect may not do."""

from __future__ import annotations

import gzip
import ipaddress
import socket
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from chatbot.errors import InputError, OutboundError
from chatbot.outbound import allowed_entries, check_url, fetch, is_public, parse

LOCAL = ("127.0.0.0/8",)
Answer = Callable[[BaseHTTPRequestHandler], None]


def send(handler: BaseHTTPRequestHandler, status: int, body: bytes = b"", **headers: str) -> None:
    handler.send_response(status)
    for name, value in headers.items():
        handler.send_header(name.replace("_", "-"), value)
    handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(body)


class Server:
    def __init__(self) -> None:
        self.answers: dict[str, Answer] = {}
        self.seen: list[tuple[str, str, dict[str, str], bytes]] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def handle_any(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                given = {name.lower(): value for name, value in self.headers.items()}
                outer.seen.append((self.command, self.path, given, self.rfile.read(length)))
                outer.answers.get(self.path, lambda handler: send(handler, 404))(self)

            do_GET = do_POST = do_HEAD = handle_any

            def log_message(self, *arguments: Any) -> None:
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.http.server_port}"
        self.thread = threading.Thread(target=self.http.serve_forever, kwargs={"poll_interval": 0.01})
        self.thread.start()

    def close(self) -> None:
        self.http.shutdown()
        self.http.server_close()
        self.thread.join()


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server()
    yield server
    server.close()


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0"),
        *(
            "224.0.1.1",
            "255.255.255.255",
            "198.18.0.1",
            "::1",
            "::",
            "fe80::1",
            "fc00::1",
            "ff02::1",
            "fec0::1",
        ),
        *("::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "2001:db8::1"),
    ],
)
def test_an_address_that_is_not_of_the_open_internet_is_not_public(address: str) -> None:
    assert not is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize("address", ["93.184.215.14", "8.8.8.8", "2606:4700::6810:84e5", "::ffff:8.8.8.8"])
def test_an_address_of_the_open_internet_is_public(address: str) -> None:
    assert is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize(
    "url",
    [
        *("file:///etc/passwd", "ftp://example.com/", "gopher://example.com", "//example.com", "example.com"),
        *(
            "http://",
            "http://user@example.com/",
            "http://u:p@example.com/",
            "http://exa mple.com\n/",
            "http://a:b/",
        ),
        *("http:\\\\example.com", "http://example.com:99999/", "javascript:alert(1)", "http://[::1/"),
    ],
)
def test_what_is_no_plain_web_address_is_refused(url: str) -> None:
    with pytest.raises(InputError) as refused:
        parse(url)
    assert refused.value.remedy


def test_an_address_is_quoted_and_its_fragment_left_out() -> None:
    target = parse("https://Bücher.example:443/a b/帮助?q=退货#part")
    assert target.geturl() == "https://xn--bcher-kva.example/a%20b/%E5%B8%AE%E5%8A%A9?q=%E9%80%80%E8%B4%A7"


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "2130706433", "0x7f.1", "127.1"])
def test_a_private_host_is_refused_in_each_spelling(host: str) -> None:
    with pytest.raises(
        (InputError, OutboundError)
    ) as refused:  # some resolvers do not know the odd spellings
        fetch(f"http://{host}:9/", seconds=2)
    assert refused.value.code in ("private_address", "outbound_failed")
    assert "answer" not in refused.value.message


def test_a_private_host_that_the_operator_allows_is_asked(server: Server) -> None:
    server.answers["/"] = lambda handler: send(
        handler, 200, b"hello", Content_Type="Text/Plain; charset=utf-8"
    )
    answer = fetch(server.address, allow=LOCAL)
    assert (answer.status, answer.ok, answer.body, answer.content_type) == (200, True, b"hello", "text/plain")
    with pytest.raises(InputError, match="private"):
        fetch(server.address)
    with pytest.raises(InputError, match="private"):
        check_url(server.address, allow=("10.0.0.0/8", "*.example"))
    assert len(server.seen) == 1


def test_a_form_with_an_unknown_host_is_wrong_and_a_request_to_it_fails(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def unknown(*_: Any, **__: Any) -> Any:
        raise socket.gaierror("Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(InputError, match="not known") as refused:
        check_url("https://shop.example/x")
    assert (refused.value.status, refused.value.value) == (422, "shop.example")
    with pytest.raises(OutboundError):
        fetch("https://shop.example/x")


def test_a_name_is_looked_up_once_and_the_checked_address_is_asked(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[str] = []
    real = socket.getaddrinfo

    def rebinding(host: str, *rest: Any, **named: Any) -> Any:
        if host == "rebind.example":
            looked.append(host)
            host = "127.0.0.1" if len(looked) > 1 else "127.0.0.2"
        return real(host, *rest, **named)

    monkeypatch.setattr(socket, "getaddrinfo", rebinding)
    with pytest.raises(OutboundError):  # nobody listens at 127.0.0.2, and 127.0.0.1 is never tried
        fetch(f"http://rebind.example:{server.http.server_port}/", allow=("rebind.example",), seconds=2)
    assert looked == ["rebind.example"] and not server.seen


def test_one_private_address_among_several_is_enough_to_refuse(monkeypatch: pytest.MonkeyPatch) -> None:
    both = [(2, 1, 6, "", ("8.8.8.8", 80)), (2, 1, 6, "", ("10.0.0.1", 80))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: both)
    with pytest.raises(InputError, match="private"):
        check_url("http://mixed.example/")


def test_a_redirect_into_the_private_network_is_refused(server: Server) -> None:
    other = "http://10.0.0.1:1/secret"
    server.answers["/"] = lambda handler: send(handler, 302, Location=other)
    with pytest.raises(InputError) as refused:
        fetch(server.address, allow=LOCAL)
    assert refused.value.code == "private_address"
    assert len(server.seen) == 1


def test_a_redirect_to_another_scheme_is_refused(server: Server) -> None:
    server.answers["/"] = lambda handler: send(handler, 302, Location="file:///etc/passwd")
    with pytest.raises(InputError, match="http and https"):
        fetch(server.address, allow=LOCAL)


def test_redirects_are_followed_so_far_and_no_further(server: Server) -> None:
    server.answers["/a"] = lambda handler: send(handler, 301, Location="/b")
    server.answers["/b"] = lambda handler: send(handler, 200, b"there")
    server.answers["/round"] = lambda handler: send(handler, 302, Location="/round")
    answer = fetch(f"{server.address}/a", allow=LOCAL)
    assert (answer.url, answer.body) == (f"{server.address}/b", b"there")
    with pytest.raises(OutboundError, match="too often"):
        fetch(f"{server.address}/round", allow=LOCAL)
    assert fetch(f"{server.address}/a", allow=LOCAL, redirects=0).status == 301


def test_a_secret_header_does_not_follow_to_another_origin(server: Server) -> None:
    elsewhere = Server()
    try:
        elsewhere.answers["/"] = lambda handler: send(handler, 200)
        server.answers["/"] = lambda handler: send(handler, 302, Location=elsewhere.address)
        fetch(server.address, headers={"Authorization": "Bearer s", "Accept": "text/html"}, allow=LOCAL)
        assert server.seen[0][2]["authorization"] == "Bearer s"
        assert "authorization" not in elsewhere.seen[0][2]
        assert elsewhere.seen[0][2]["accept"] == "text/html"
    finally:
        elsewhere.close()


def test_a_post_is_sent_once_and_its_redirect_handed_back(server: Server) -> None:
    server.answers["/hook"] = lambda handler: send(handler, 302, Location="/other")
    answer = fetch(
        f"{server.address}/hook",
        method="POST",
        body=b"{}",
        headers={"Content-Type": "application/json"},
        allow=LOCAL,
    )
    assert answer.status == 302
    assert [(method, path, body) for method, path, _, body in server.seen] == [("POST", "/hook", b"{}")]


def test_a_large_answer_and_one_that_unpacks_to_a_large_one_are_refused(server: Server) -> None:
    bomb = gzip.compress(b"0" * 5_000_000)
    server.answers["/large"] = lambda handler: send(handler, 200, b"0" * 200_000)
    server.answers["/bomb"] = lambda handler: send(handler, 200, bomb, Content_Encoding="gzip")
    for path in ("/large", "/bomb"):
        with pytest.raises(OutboundError) as refused:
            fetch(server.address + path, allow=LOCAL, limit=100_000)
        assert refused.value.code == "too_large"
    assert len(fetch(f"{server.address}/bomb", allow=LOCAL).body) == 5_000_000


def test_a_server_that_drips_is_cut_off_at_the_deadline(server: Server) -> None:
    drops: list[int] = []

    def drip(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.end_headers()
        while True:
            try:
                handler.wfile.write(b".")
                handler.wfile.flush()
            except OSError:
                return
            drops.append(1)
            time.sleep(0.02)

    server.answers["/"] = drip
    with pytest.raises(OutboundError) as refused:
        fetch(server.address, allow=LOCAL, seconds=0.3)
    assert refused.value.code == "timed_out"
    assert len(drops) < 75  # of fifty a second, however slow the machine


def test_a_body_that_ends_early_is_an_error(server: Server) -> None:
    def short(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", "100")
        handler.end_headers()
        handler.wfile.write(b"half")

    server.answers["/"] = short
    with pytest.raises(OutboundError, match="cannot be read"):
        fetch(server.address, allow=LOCAL)


def test_the_setting_is_read_as_a_list_and_a_wrong_network_named() -> None:
    assert allowed_entries(" CRM.internal, 10.0.0.0/8 ,*.lan,") == ("crm.internal", "10.0.0.0/8", "*.lan")
    with pytest.raises(InputError, match="network"):
        allowed_entries("10.0.0.0/99")
