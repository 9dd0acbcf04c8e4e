"""Every request that this installation makes to another machine goes through ``fetch``.

An address that a person typed, or that a page redirected to, must not reach what only this machine can see (server-side
request forgery; OWASP ASVS 5.0, 1.3.6 and 13.2.4). Therefore:

- only http and https, no user name in the address;
- the host is resolved once, *every* address it resolves to must be public, and the connection goes to the address that
  was checked, so that a second look-up cannot answer differently (DNS rebinding); TLS is checked against the name;
- a redirect is a new request and is checked the same way; headers of ours stay with the origin they were meant for;
- one deadline for the whole exchange, and a limit on the body as received and as unpacked;
- no proxy, cookie or credential is taken from the environment.

``allow`` names what may be private all the same (``settings.outbound_private``): host names, ``*.domain``, addresses
or networks.
"""

from __future__ import annotations

import http.client
import ipaddress
import socket
import ssl
import threading
import time
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from urllib.parse import SplitResult, quote, urljoin, urlsplit, urlunsplit

from chatbot.errors import InputError, OutboundError

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

SECONDS = 15.0
BODY_LIMIT = 10 * 2**20  # bytes
REDIRECTS = 5
USER_AGENT = "Frontdesk"
_BLOCK = 64 * 1024
_REDIRECTED = (301, 302, 303, 307, 308)
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_SAME_EVERYWHERE = frozenset({"accept", "accept-language", "accept-encoding", "user-agent"})


@dataclass(frozen=True, slots=True)
class Fetched:
    """What came back. ``url`` is the last one after redirects, ``headers`` have lower-case names, ``body`` is
    unpacked. Any status is a result: the caller decides what 404 or 500 means."""

    url: str
    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300

    @property
    def content_type(self) -> str:
        """Without parameters, in lower case; empty where none was sent."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()


def fetch(
    url: str,
    *,
    method: str = "GET",
    headers: Mapping[str, str] | None = None,
    body: bytes | None = None,
    allow: Iterable[str] = (),
    seconds: float = SECONDS,
    limit: int = BODY_LIMIT,
    redirects: int | None = None,
) -> Fetched:
    """One exchange with another machine, redirects followed.

    ``redirects`` is how many are followed, by default 5 for GET and HEAD and none otherwise (the 3xx answer comes back
    as it is). Raises InputError for an address that may not be asked, and OutboundError where the other side does not
    answer in ``seconds``, answers more than ``limit`` bytes, or what cannot be understood.
    """
    deadline = time.monotonic() + seconds
    left = redirects if redirects is not None else (REDIRECTS if method in ("GET", "HEAD") else 0)
    follow = left > 0
    allowed = tuple(allow)
    sent = {"user-agent": USER_AGENT} | {name.lower(): value for name, value in (headers or {}).items()}
    sent["accept-encoding"] = "gzip"
    while True:
        target = parse(url)
        answer = _exchange(target, method, sent, body, allowed=allowed, deadline=deadline, limit=limit)
        place = answer.headers.get("location")
        if not follow or answer.status not in _REDIRECTED or not place:
            return answer
        if left == 0:
            raise OutboundError("The address redirects too often", field="url", value=url)
        left -= 1
        url = urljoin(answer.url, place)
        if origin(parse(url)) != origin(target):
            sent = {name: value for name, value in sent.items() if name in _SAME_EVERYWHERE}
        if answer.status == 303 or (answer.status in (301, 302) and method == "POST"):
            method, body = "GET" if method != "HEAD" else "HEAD", None
            sent.pop("content-type", None)


def check_url(url: str, *, allow: Iterable[str] = ()) -> str:
    """The address as it would be asked now, for a form that stores one: the same checks without a request.

    Raises InputError where it may not be asked or its host is not known: here it is the form that is wrong.
    """
    target = parse(url)
    try:
        _resolve(target, tuple(allow))
    except OutboundError as error:
        raise InputError(error.message, field=error.field, value=error.value, remedy=error.remedy) from error
    return urlunsplit(target)


def parse(url: str) -> SplitResult:
    """Scheme, host and path of an absolute http address, spaces and other scripts quoted, without fragment.

    Raises InputError.
    """
    text = url.strip()
    if any(ord(ch) < 32 or ord(ch) == 127 for ch in text) or "\\" in text:
        raise _refused(url, "This is no address")
    try:
        split = urlsplit(text)
        host, port = split.hostname or "", split.port
        name = host if ":" in host else host.encode("idna").decode("ascii")
    except (ValueError, UnicodeError):
        raise _refused(url, "This is no address") from None
    if split.scheme not in ("http", "https") or not name:
        raise _refused(url, "Only http and https addresses can be asked")
    if split.username is not None or split.password is not None:
        raise _refused(url, "An address with a user name or password is not asked")
    netloc = f"[{name}]" if ":" in name else name
    if port is not None and port != _PORTS[split.scheme]:
        netloc += f":{port}"
    path = quote(split.path or "/", safe="/%:@!$&'()*+,;=~-._")
    query = quote(split.query, safe="/%:@!$&'()*+,;=~-._?[]")
    return SplitResult(split.scheme, netloc, path, query, "")


_PORTS = {"http": 80, "https": 443}


def origin(target: SplitResult) -> tuple[str, str, int]:
    """Scheme, host and port (RFC 6454, section 4)."""
    return target.scheme, target.hostname or "", target.port or _PORTS[target.scheme]


def is_public(address: Address) -> bool:
    """Whether an address is of the open Internet: not private, shared, local, reserved or multicast, also where an IPv6
    address carries an IPv4 one (mapped, NAT64, 6to4, Teredo)."""
    if isinstance(address, ipaddress.IPv6Address):
        carried = address.ipv4_mapped or address.sixtofour or (address.teredo or (None, None))[1]
        if carried is None and address in _NAT64:
            carried = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        if carried is not None and not is_public(carried):
            return False
        if address.is_site_local:
            return False
        if address.ipv4_mapped or address in _NAT64:
            return True
    return address.is_global and not address.is_multicast


def allowed_entries(text: str) -> tuple[str, ...]:
    """``settings.outbound_private`` as ``fetch`` takes it. Raises InputError for what is neither name nor network."""
    entries = tuple(part.strip().lower() for part in text.split(",") if part.strip())
    for entry in entries:
        if "/" in entry and _network(entry) is None:
            raise InputError(
                "Not a network",
                field="FRONTDESK_OUTBOUND_PRIVATE",
                value=entry,
                remedy="Write names, *.domain, addresses or networks such as 10.0.0.0/8, with commas between them",
            )
    return entries


@lru_cache(maxsize=64)
def _network(entry: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    try:
        return ipaddress.ip_network(entry, strict=False)
    except ValueError:
        return None


def _excepted(host: str, address: Address, allowed: tuple[str, ...]) -> bool:
    for entry in allowed:
        network = _network(entry)
        if network is not None:
            if address.version == network.version and address in network:
                return True
        elif host == entry or (entry.startswith("*.") and host.endswith(entry[1:])):
            return True
    return False


def _resolve(target: SplitResult, allowed: tuple[str, ...]) -> list[str]:
    """The addresses of the host, all of them checked."""
    host = (target.hostname or "").rstrip(".")
    try:
        found = socket.getaddrinfo(host, origin(target)[2], type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise OutboundError(
            "The host of this address is not known", field="url", value=host, remedy="Check the address"
        ) from error
    addresses: list[str] = []
    for _, _, _, _, where in found:
        text = str(where[0])
        address = ipaddress.ip_address(text.partition("%")[0])
        if not is_public(address) and not _excepted(host, address, allowed):
            raise _refused(
                urlunsplit(target),
                "This address lies in a private network",
                code="private_address",
                remedy="If it is meant, an operator can add the host to FRONTDESK_OUTBOUND_PRIVATE",
            )
        if text not in addresses:
            addresses.append(text)
    return addresses


def _exchange(
    target: SplitResult,
    method: str,
    headers: Mapping[str, str],
    body: bytes | None,
    *,
    allowed: tuple[str, ...],
    deadline: float,
    limit: int,
) -> Fetched:
    url = urlunsplit(target)
    addresses = _resolve(target, allowed)
    connection = _connect(target, addresses, deadline)
    try:
        with _cut_off(connection, deadline) as cut:
            try:
                path = target.path + (f"?{target.query}" if target.query else "")
                connection.request(method, path, body=body, headers=dict(headers))
                response = connection.getresponse()
                received = {name.lower(): value for name, value in response.getheaders()}
                content = _read(response, received.get("content-encoding", ""), limit, url)
            except (OSError, http.client.HTTPException, ValueError) as error:
                if cut.is_set():
                    raise _timed_out(url) from error
                raise OutboundError(
                    f"The other side's answer cannot be read: {type(error).__name__}", field="url", value=url
                ) from error
        if cut.is_set():  # shut down while it was reading: what came is not the whole
            raise _timed_out(url)
    finally:
        connection.close()
    return Fetched(url, response.status, received, content)


def _connect(target: SplitResult, addresses: list[str], deadline: float) -> http.client.HTTPConnection:
    """A connection to one of the checked addresses, in their order."""
    scheme, host, port = origin(target)
    failure: OSError | None = None
    for address in addresses:
        left = deadline - time.monotonic()
        if left <= 0:
            break
        plain: socket.socket | None = None
        try:
            plain = socket.create_connection((address, port), timeout=left)
            # For HTTPConnection the host is the Host header only: the socket is given.
            connection = http.client.HTTPConnection(host, port, timeout=left)
            if scheme == "https":
                connection.default_port = 443  # decides whether Host names the port
                plain = _tls().wrap_socket(plain, server_hostname=host)
            connection.sock = plain
            return connection
        except OSError as error:  # ssl.SSLError among them
            failure = error
            if plain is not None:
                plain.close()
    if failure is None or isinstance(failure, TimeoutError):
        raise _timed_out(urlunsplit(target)) from failure
    if isinstance(failure, ssl.SSLCertVerificationError):
        raise OutboundError(
            f"The certificate of {host} is not valid: {failure.verify_message}",
            field="url",
            value=urlunsplit(target),
        ) from failure
    raise OutboundError(
        f"{host} does not answer: {failure.strerror or failure}", field="url", value=urlunsplit(target)
    ) from failure


@lru_cache(maxsize=1)
def _tls() -> ssl.SSLContext:
    return ssl.create_default_context()


@contextmanager
def _cut_off(connection: http.client.HTTPConnection, deadline: float) -> Iterator[threading.Event]:
    """Shut the connection down at the deadline: a socket's own timeout starts again with each byte that drips in."""
    cut = threading.Event()
    sock = connection.sock

    def shut() -> None:
        cut.set()
        try:
            sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            return

    timer = threading.Timer(max(deadline - time.monotonic(), 0.0), shut)
    timer.daemon = True
    timer.start()
    try:
        yield cut
    finally:
        timer.cancel()


def _read(response: http.client.HTTPResponse, encoding: str, limit: int, url: str) -> bytes:
    """The body, unpacked as it comes, never more than ``limit`` bytes in memory."""
    unpack = (
        zlib.decompressobj(wbits=47) if encoding.strip().lower() in ("gzip", "x-gzip", "deflate") else None
    )
    content = bytearray()
    received = 0
    try:
        while block := response.read(_BLOCK):
            received += len(block)
            content += unpack.decompress(block, limit + 1 - len(content)) if unpack else block
            if received > limit or len(content) > limit:
                raise OutboundError(
                    f"The answer is larger than {limit / 2**20:.0f} MiB",
                    field="url",
                    value=url,
                    code="too_large",
                )
    except zlib.error as error:
        raise ValueError("damaged gzip") from error
    if response.length:  # http.client does not mind a body that ends early
        raise http.client.IncompleteRead(b"", response.length)
    return bytes(content)


def _timed_out(url: str) -> OutboundError:
    return OutboundError(
        "The other side did not answer in time",
        field="url",
        value=url,
        code="timed_out",
        remedy="Try again later",
    )


def _refused(
    url: str, message: str, *, code: str = "address_refused", remedy: str | None = None
) -> InputError:
    return InputError(
        message,
        field="url",
        value=url,
        code=code,
        remedy=remedy or "Use an address such as https://www.example.com/help",
    )
