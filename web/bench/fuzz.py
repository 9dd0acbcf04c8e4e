"""``bench fuzz``: requests nobody would send, in great number, at every route of a real server.

Some visitors say planted marks (in messages, files, contact details, comments). Then strangers, visitors with tokens of
their own, programs with API keys and a signed-in admin send requests made from the API's own description and then
spoilt, pages with odd parameters, bodies in wrong encodings, and bytes that are no HTTP. Wanted: no 5xx, no traceback
in an answer or in the log, no mark in any answer but the admin's and that of a key that reads conversations, and every
marked conversation as it was.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import re
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

import web
from chatbot.errors import UnavailableError
from web.bench.figures import json_option, write_figures
from web.bench.raw_http import Answer, ask, request_bytes
from web.bench.server import RAISED_RATE, Server, demo_folder
from web.bench.spoiling import Description, Spoiler, garbage

if TYPE_CHECKING:
    from chatbot.records.database import Database

VICTIMS = 8
CALLERS = 6  # threads of the bench
ADMIN_SHARE, PROGRAM_SHARE, GARBAGE_SHARE = 0.15, 0.08, 0.02
SLOW_ROUTES = 5  # are named, with their mean
PASSWORD = "fuzz the admin area 4711"
EMAIL = "fuzz@shop.example"
# What would end the admin's own session, or start minutes of work on other machines' time.
SPARED = (
    "access.sign_out",
    "access.account_change",
    "access.second_step",
    "admin.change_active",
    "admin.change_role",
)
_CSRF = re.compile(rb'name="csrf_token"[^>]*value="([^"]+)"|value="([^"]+)"[^>]*name="csrf_token"')
_FIELD = re.compile(r'\bname="([a-z][a-z_-]*)"')
_TRACE = (b"Traceback (most recent call last)", b'File "/')

Progress = Callable[[str, float], None]


@click.command("fuzz")
@click.option("--requests", "count", type=click.IntRange(min=1), required=True, help="How many to send.")
@click.option("--seed", default=13, show_default=True, help="The same requests.")
@demo_folder
@json_option
def command(count: int, seed: int, data: Path | None, json_file: Path | None) -> None:
    """Spoilt requests at every route: no 5xx, no traceback, nothing of another visitor."""
    from web.terminal import TerminalProgress, out

    with tempfile.TemporaryDirectory(prefix="frontdesk-fuzz-") as temporary, TerminalProgress() as progress:
        figures = run(data or Path(temporary), count=count, seed=seed, progress=progress)
    write_figures(figures, json_file)
    console = out()
    for name, value in figures.items():
        console.print(f"{name.replace('_', ' '):20} {value}", markup=False)
    if not passed(figures):
        raise SystemExit(1)


def passed(figures: dict[str, Any]) -> bool:
    wrong = ("server_errors", "tracebacks", "log_tracebacks", "leaks", "changed", "unanswered")
    return not any(figures[name] for name in wrong)


@dataclass
class Findings:
    """What came back. ``examples``: for each kind of trouble the first requests that made it."""

    statuses: Counter[int] = field(default_factory=Counter)
    troubles: Counter[str] = field(default_factory=Counter)
    examples: dict[str, list[str]] = field(default_factory=dict)
    seconds: dict[str, list[float]] = field(default_factory=dict)  # of each endpoint
    refused: int = 0  # 503 with Retry-After: the machine was full, by design
    _guard: threading.Lock = field(default_factory=threading.Lock)

    def note_time(self, endpoint: str, seconds: float) -> None:
        with self._guard:
            self.seconds.setdefault(endpoint, []).append(seconds)

    def slowest(self, count: int = SLOW_ROUTES) -> dict[str, float]:
        """The endpoints whose requests took longest, mean seconds."""
        means = {endpoint: sum(taken) / len(taken) for endpoint, taken in self.seconds.items()}
        return {name: round(means[name], 3) for name in sorted(means, key=lambda one: -means[one])[:count]}

    def take(self, request: bytes, answer: Answer | None, marks: tuple[bytes, ...]) -> None:
        trouble = [] if answer is not None else ["unanswered"]
        with self._guard:
            if answer is not None:
                self.statuses[answer.status] += 1
                if answer.status == 503 and "retry-after" in answer.headers:
                    self.refused += 1
                elif answer.status >= 500:
                    trouble.append("server_errors")
                whole = answer.head + answer.body
                if any(sign in whole for sign in _TRACE):
                    trouble.append("tracebacks")
                if any(mark in whole for mark in marks):
                    trouble.append("leaks")
            for kind in trouble:
                self.troubles[kind] += 1
                kept = self.examples.setdefault(kind, [])
                if len(kept) < 8:
                    status = answer.status if answer else "–"
                    kept.append(f"{status} ← {request[:600]!r}")


def run(
    data: Path, *, count: int, seed: int = 13, progress: Progress = lambda stage, share: None
) -> dict[str, Any]:
    """→ counts of answers by status and of every trouble, with examples; how many requests a second, how many routes
    and how often the one least asked. Raises UnavailableError."""
    server = Server(
        data,
        environment={
            "FRONTDESK_SIGNIN_RATE": RAISED_RATE,
            "FRONTDESK_TRUSTED_PROXIES": "1",  # so that each request can come from an address of its own
            "FRONTDESK_METRICS_TOKEN": "",
            "FRONTDESK_LOG_LEVEL": "WARNING",
            "FRONTDESK_LOG_FORMAT": "text",
        },
    )
    server.make()
    description = _prepare(server.data)
    server.log.unlink(missing_ok=True)  # the tracebacks of this run are counted
    address = ("127.0.0.1", server.port)
    database = _database(server.data)
    try:
        server.start("--web-only")
        victims = [_victim(address, number) for number in range(VICTIMS)]
        world = _World(
            address, description, victims, database, _row_numbers(database, victims), _Site.of(database)
        )
        begun = time.monotonic()
        findings = _fuzz(world, count=count, seed=seed, progress=progress)
        spent = time.monotonic() - begun
        changed = sum(_turns(address, victim) != victim.turns for victim in victims)
        alive = server.alive()
    finally:
        server.stop()
        database.dispose()
    logged = server.log.read_bytes()
    return {
        "requests": count,
        "a_second": round(count / spent, 1),
        "routes": len({endpoint for endpoint, _, _ in description.routes}),
        "fewest_at_one": min(
            len(findings.seconds.get(endpoint, ())) for endpoint, _, _ in description.routes
        ),
        "slowest_seconds": findings.slowest(),
        "statuses": {str(status): times for status, times in sorted(findings.statuses.items())},
        "refused_503": findings.refused,
        "server_errors": findings.troubles["server_errors"],
        "tracebacks": findings.troubles["tracebacks"],
        "log_tracebacks": logged.count(_TRACE[0]),
        "leaks": findings.troubles["leaks"],
        "changed": changed,
        "unanswered": findings.troubles["unanswered"] + (not alive),
        "examples": findings.examples,
    }


def _prepare(data: Path) -> Description:
    """All routes and the API's description; an account for the signed-in requests."""
    from chatbot.records import people
    from chatbot.settings import Settings
    from web import create_app

    database = _database(data)
    with database.write() as session:
        person = people.find_person(session, EMAIL)
        if person is None:
            people.create_person(session, email=EMAIL, name="Fuzz", password=PASSWORD, role="admin")
        else:
            people.set_password(session, person, PASSWORD)
    database.dispose()
    with tempfile.TemporaryDirectory(prefix="frontdesk-fuzz-") as empty:
        app = create_app(Settings(_env_file=None, data=Path(empty), database_url=""))
        routes = [
            (rule.endpoint, rule.rule, tuple(sorted((rule.methods or set()) - {"HEAD", "OPTIONS"})))
            for rule in app.url_map.iter_rules()
        ]
        described = app.test_client().get("/openapi.json").get_json()
        app.extensions["frontdesk"].serving.stop()
        app.extensions["frontdesk"].database.dispose()
    return Description(routes, described, _form_fields())


def _form_fields() -> list[str]:
    """All names of fields in the templates of pages: a form that is asked for something else asks for less."""
    templates = Path(web.__file__).parent.rglob("*.html")
    found = {name for path in templates for name in _FIELD.findall(path.read_text("utf-8"))}
    return sorted(found - {"csrf_token"})


def _database(data: Path) -> Database:
    from chatbot.records.database import Database
    from chatbot.settings import Settings

    return Database(Settings(_env_file=None, data=data, database_url="", PORT=0).database)


def _row_numbers(database: Database, victims: list[Visitor]) -> frozenset[int]:
    """Of the victims and of their conversations."""
    from sqlalchemy import select

    from chatbot.records.tables import Conversation

    wanted = Conversation.public_id.in_([victim.id for victim in victims])
    with database.read() as session:
        rows = session.execute(select(Conversation.id, Conversation.visitor_id).where(wanted)).all()
    return frozenset(number for row in rows for number in row)


@dataclass(frozen=True, slots=True)
class _Site:
    """The default site's settings, which an admin's form changes: nobody could start a conversation any more."""

    allowed_origins: list[str]
    options: dict[str, Any]
    identity_secret: str | None

    @classmethod
    def of(cls, database: Database) -> _Site:
        from sqlalchemy import select

        from chatbot.records.tables import Site

        with database.read() as session:
            site = session.scalars(select(Site).where(Site.key == "default")).one()
            return cls(site.allowed_origins, site.options, site.identity_secret)

    def put_back(self, database: Database) -> None:
        from sqlalchemy import update

        from chatbot.records.tables import Site

        with database.write() as session:
            session.execute(update(Site).where(Site.key == "default").values(asdict(self)))


def _api_keys(database: Database) -> tuple[str, str]:
    """A new key for channels and one for everything."""
    from chatbot.records.api_keys import SCOPES, create_key

    with database.write() as session:
        _, channel = create_key(session, name="fuzz", scopes=["chat"])
        _, everything = create_key(session, name="fuzz", scopes=SCOPES)
    return channel, everything


# --- who is there ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Visitor:
    id: str
    token: str
    mark: str = ""
    turns: tuple[tuple[Any, ...], ...] = ()


def _post(address: tuple[str, int], path: str, body: Any, token: str = "") -> dict[str, Any]:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    answer = ask(address, request_bytes("POST", path, body=body, headers=headers))
    if answer is None or answer.status >= 300:
        raise UnavailableError(f"POST {path} failed", value=answer and answer.status)
    told: dict[str, Any] = json.loads(answer.body)
    return told


def _start(address: tuple[str, int]) -> Visitor:
    started = _post(address, "/api/v1/conversations", {"site": "default"})
    return Visitor(started["id"], started["token"])


def _victim(address: tuple[str, int], number: int) -> Visitor:
    """A visitor who leaves a mark wherever a visitor can."""
    visitor, mark = _start(address), f"PLANTED-{number}-{os.urandom(6).hex()}"
    path = f"/api/v1/conversations/{visitor.id}"
    for words in (f"my order is {mark}", f"我的订单号是 {mark}，什么时候退款？"):
        told = _post(address, f"{path}/messages", {"text": words}, visitor.token)
    _post(
        address, f"{path}/turns/{told['turn_id']}/feedback", {"vote": "down", "comment": mark}, visitor.token
    )
    _post(address, f"{path}/handover", {"reason": mark}, visitor.token)
    kept = Visitor(visitor.id, visitor.token, mark)
    return Visitor(kept.id, kept.token, mark, _turns(address, kept))


def _turns(address: tuple[str, int], visitor: Visitor) -> tuple[tuple[Any, ...], ...]:
    headers = {"Authorization": f"Bearer {visitor.token}"}
    path = f"/api/v1/conversations/{visitor.id}/messages"
    answer = ask(address, request_bytes("GET", path, headers=headers))
    if answer is None or answer.status != 200:
        return ()
    return tuple((turn["id"], turn["role"], turn["text"]) for turn in json.loads(answer.body)["turns"])


def _sign_in(address: tuple[str, int]) -> tuple[str, str]:
    """The admin's cookie and form token. Raises UnavailableError."""
    page = ask(address, request_bytes("GET", "/admin/sign-in"))
    token, cookie = _form_token(page), _cookie(page)
    body = f"csrf_token={token}&email={EMAIL.replace('@', '%40')}&password={PASSWORD.replace(' ', '+')}"
    headers = {"Cookie": cookie, "Content-Type": "application/x-www-form-urlencoded"}
    answer = ask(address, request_bytes("POST", "/admin/sign-in", body=body.encode(), headers=headers))
    if answer is None or answer.status not in (302, 303):
        raise UnavailableError("The admin could not sign in", value=answer and answer.status)
    cookie = _cookie(answer) or cookie
    page = ask(address, request_bytes("GET", "/admin/account", headers={"Cookie": cookie}))
    return _cookie(page) or cookie, _form_token(page)


def _form_token(page: Answer | None) -> str:
    found = _CSRF.search(page.body) if page else None
    if found is None:
        raise UnavailableError("The page has no form token")
    return (found[1] or found[2]).decode()


def _cookie(page: Answer | None) -> str:
    return (page.headers.get("set-cookie", "") if page else "").partition(";")[0]


# --- sending ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _World:
    """``avoided``: row numbers that no request of the admin names."""

    address: tuple[str, int]
    description: Description
    victims: list[Visitor]
    database: Database
    avoided: frozenset[int]
    site: _Site


class _Caller:
    """One thread's visitor, admin session and requests."""

    def __init__(self, world: _World, seed: str) -> None:
        self.world = world
        self.rng = random.Random(seed)
        others = [victim.id for victim in world.victims]
        self.spoiler = Spoiler(self.rng, world.description, others=others, avoided=world.avoided)
        self.marks = tuple(victim.mark.encode() for victim in world.victims)
        self.own = _start(world.address)
        self.admin = _sign_in(world.address)
        self.keys = _api_keys(world.database)

    def send(self, findings: Findings) -> None:
        rng, address, kind = self.rng, self.world.address, self.rng.random()
        if kind < GARBAGE_SHARE:
            request = garbage(rng)
            findings.take(request, ask(address, request, any_answer=True), self.marks)
            return
        marks, key, as_admin = self.marks, "", False
        if kind < GARBAGE_SHARE + ADMIN_SHARE:
            request, marks, as_admin = self.spoiler.as_admin(*self.admin, spared=SPARED), (), True
        elif kind < GARBAGE_SHARE + ADMIN_SHARE + PROGRAM_SHARE:
            key = rng.choice(self.keys)
            marks = () if key == self.keys[1] else marks
            request = self.spoiler.as_program(key, rng.choice((self.own.id, rng.choice(self.spoiler.others))))
        else:
            request = self.spoiler.as_visitor(self.own.id, self.own.token)
        begun = time.monotonic()
        answer = ask(address, request)
        findings.note_time(self.spoiler.last, time.monotonic() - begun)
        findings.take(request, answer, marks)
        if as_admin and answer is not None and "/admin/sign-in" in answer.headers.get("location", ""):
            self.renew_admin()
        if key and answer is not None and answer.status == 401 and b"wrong_key" in answer.body:
            self.keys = _api_keys(self.world.database)

    def renew_visitor(self) -> None:
        """As the admin's settings may have closed the shop, with the site as it was."""
        self.world.site.put_back(self.world.database)
        with contextlib.suppress(UnavailableError):
            self.own = _start(self.world.address)

    def renew_admin(self) -> None:
        """After a request that ended the session. Not before: a password takes a fifth of a second to check."""
        with contextlib.suppress(UnavailableError):
            self.admin = _sign_in(self.world.address)


def _fuzz(world: _World, *, count: int, seed: int, progress: Progress) -> Findings:
    findings = Findings()
    done = threading.Lock()
    sent = [0]

    def calling(number: int) -> None:
        caller = _Caller(world, f"{seed}-{number}")
        for place in range(number, count, CALLERS):
            if place % 200 < CALLERS:
                caller.renew_visitor()
            caller.send(findings)
            with done:
                sent[0] += 1
                if sent[0] % 100 == 0:
                    progress("requests", sent[0] / count)

    with ThreadPoolExecutor(CALLERS) as pool:
        for running in [pool.submit(calling, number) for number in range(CALLERS)]:
            running.result()
    return findings
