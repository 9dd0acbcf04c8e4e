"""``bench churn``: random changes of the knowledge under two serving processes, one killed now and then.

Articles are added, edited, deleted, lose and gain sections; passages are edited, split, joined, switched off and on,
through the functions that the admin area and the importers use. Each text holds a word that no other text ever has.
So it is known of every word whether a search must find it (else: *lost*) or must not (else: *stale*), and that is asked
of both processes before they had time to follow, after they did, and after a kill in the middle of following or of
writing a snapshot.
"""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click

from web.bench.figures import json_option, write_figures

OPERATIONS_AT_ONCE = 8  # at most, in one transaction
ASK_EVERY = 100  # operations
CHECK_EVERY = 2000
SAVE_EVERY = 1500
KILL_EVERY = 500  # on average
SECTIONS = 3  # of an article, on average
_COMMON = [
    "parcel",
    "refund",
    "order",
    "machine",
    "coffee",
    "warranty",
    "delivery",
    "invoice",
    "account",
    "repair",
]

Progress = Callable[[str, float], None]


@click.command("churn")
@click.option("--changes", type=click.IntRange(min=10), default=20_000, show_default=True)
@click.option(
    "--passages", type=click.IntRange(min=10), default=10_000, show_default=True, help="To begin with."
)
@click.option("--seconds", type=click.IntRange(min=1), help="Stop after this long, and report what was done.")
@click.option("--seed", type=int, default=13, show_default=True)
@click.option(
    "--database", "url", help="SQLAlchemy URL of an empty database (default: SQLite in a temporary folder)."
)
@json_option
def command(
    changes: int, passages: int, seconds: int | None, seed: int, url: str | None, json_file: Path | None
) -> None:
    """Change the knowledge at random under two serving processes; count stale hits and lost passages."""
    from web.terminal import TerminalProgress, print_values

    with TerminalProgress() as progress, tempfile.TemporaryDirectory(prefix="frontdesk-churn-") as folder:
        figures = measure(
            Path(folder), changes, passages, seconds=seconds, seed=seed, url=url, progress=progress
        )
    write_figures(figures, json_file)
    print_values(f"{sum(figures['changes'].values()):,} changes over {passages:,} passages", figures)
    if figures["stale"] or figures["lost"] or figures["differences"]:
        raise SystemExit(1)


def measure(
    folder: Path,
    changes: int,
    passages: int,
    *,
    seconds: float | None = None,
    seed: int = 13,
    url: str | None = None,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Counts of what went wrong, and times: searches in milliseconds, starts and delays in seconds."""
    from chatbot.records.database import Database
    from chatbot.records.schema import upgrade

    tell = progress or (lambda stage, share: None)
    url = url or f"sqlite:///{folder / 'churn.db'}"
    database = Database(url)
    upgrade(database)
    writer = Writer(database, random.Random(seed))
    writer.fill(passages, tell)
    run = Run(writer, url, folder / "index", random.Random(seed + 1))
    try:
        run.go(changes, tell, seconds=seconds)
    finally:
        for server in run.servers:
            server.kill()
        database.dispose()
    return run.figures()


class Server:
    """A serving process (web/bench/churn_follower.py)."""

    def __init__(self, url: str, index: Path) -> None:
        self._arguments = [sys.executable, "-m", "web.bench.churn_follower", url, str(index)]
        self._process: subprocess.Popen[str] | None = None
        self.seconds_to_start: list[float] = []

    def start(self) -> None:
        began = time.monotonic()
        self._process = subprocess.Popen(
            self._arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self._read()
        self.seconds_to_start.append(time.monotonic() - began)

    def send(self, **command: Any) -> None:
        if self._process is None or self._process.stdin is None:
            raise RuntimeError("the serving process is not started")
        self._process.stdin.write(json.dumps(command) + "\n")
        self._process.stdin.flush()

    def ask(self, **command: Any) -> dict[str, Any]:
        self.send(**command)
        return self._read()

    def kill(self) -> None:
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            self._process.communicate()
            self._process = None

    def _read(self) -> dict[str, Any]:
        line = self._process.stdout.readline() if self._process and self._process.stdout else ""
        if not line:
            raise RuntimeError("the serving process ended by itself")
        answer: dict[str, Any] = json.loads(line)
        return answer


class Writer:
    """Makes random changes and knows what must be found: ``live`` is word → text, ``retired`` the words of before."""

    def __init__(self, database: Any, rng: random.Random) -> None:
        self.database, self.rng = database, rng
        self.live: dict[str, str] = {}
        self.retired: list[str] = []
        self.counts: dict[str, int] = {}
        self._articles: dict[str, list[str]] = {}  # slug → words, in order, as the source has them
        self._touched: set[str] = set()  # slugs whose passages a person changed: their source is left alone
        self._off: dict[str, str] = {}
        self._number = 0

    def fill(self, passages: int, tell: Progress) -> None:
        while len(self.live) < passages:
            with self.database.write() as session:
                for _ in range(100):
                    self._add(session)
            tell("passages", min(1.0, len(self.live) / passages))
        self.counts.clear()

    def change(self, count: int) -> list[str]:
        """``count`` random changes in one transaction; the words that must be found from now on."""
        before = set(self.live)
        with self.database.write() as session:
            for _ in range(count):
                kind = self.rng.choices(
                    ("add", "edit_article", "delete", "edit_passage", "split", "join", "switch"),
                    (20, 25, 20, 15, 5, 5, 10),
                )[0]
                getattr(self, f"_{kind}")(session)
                self.counts[kind] = self.counts.get(kind, 0) + 1
        return [word for word in self.live if word not in before] if count < 100 else []

    def _text(self) -> str:
        self._number += 1
        word = f"zq{self._number}x"
        self.live[word] = f"About {word}: {' '.join(self.rng.choices(_COMMON, k=12))}."
        return word

    def _retire(self, *words: str) -> None:
        for word in words:
            if self.live.pop(word, None) is not None:
                self.retired.append(word)

    def _put(self, session: Any, slug: str) -> None:
        from chatbot.records.knowledge import ArticleDraft, PassageDraft, put_article

        words = self._articles[slug]
        drafts = tuple(PassageDraft(f"Topic › {self.rng.choice(_COMMON)}", self.live[word]) for word in words)
        put_article(session, ArticleDraft(slug, "en", f"Topic {slug}", " ".join(words), drafts))

    def _add(self, session: Any) -> None:
        slug = f"a{self._number}"
        self._articles[slug] = [self._text() for _ in range(self.rng.randint(1, 2 * SECTIONS - 1))]
        self._put(session, slug)

    def _some(self) -> str | None:
        some = self.rng.sample(list(self._articles), min(20, len(self._articles)))
        return next((slug for slug in some if slug not in self._touched), None)

    def _edit_article(self, session: Any) -> None:
        slug = self._some()
        if slug is None:
            return self._add(session)
        words = self._articles[slug]
        place = self.rng.randrange(len(words))
        what = self.rng.choice(("change", "remove", "insert"))
        if what == "insert" or len(words) == 1:
            words.insert(place, self._text())
        else:
            self._retire(words.pop(place))
            if what == "change":
                words.insert(place, self._text())
        self._put(session, slug)
        return None

    def _delete(self, session: Any) -> None:
        from sqlalchemy import select

        from chatbot.records.knowledge import delete_article
        from chatbot.records.tables import Article, Passage

        if len(self._articles) < 5:
            return
        slug = self.rng.choice(list(self._articles))
        article = session.scalars(select(Article).where(Article.slug == slug)).one()
        texts = session.scalars(select(Passage.text).where(Passage.article_id == article.id)).all()
        self._retire(*(word for text in texts for word in _words(text)))
        for text in texts:
            self._off.pop(text, None)
        delete_article(session, article)
        del self._articles[slug]

    def _passage(self, session: Any) -> Any:
        """A random quoted passage, its article marked as touched; None where there is none to be had."""
        from sqlalchemy import select

        from chatbot.records.tables import Article, Passage

        slug = self.rng.choice(list(self._articles))
        rows = session.scalars(
            select(Passage)
            .join(Article, Passage.article_id == Article.id)
            .where(Article.slug == slug, Passage.enabled)
        ).all()
        if rows:
            self._touched.add(slug)
        return self.rng.choice(rows) if rows else None

    def _edit_passage(self, session: Any, parts: int = 1) -> None:
        from chatbot.records.passages import PassageForm, edit_passage

        passage = self._passage(session)
        if passage is None:
            return
        self._retire(*_words(passage.text))
        words = [self._text() for _ in range(parts)]
        edit_passage(
            session, passage, PassageForm(passage.title_path, tuple(self.live[word] for word in words), "en")
        )

    def _split(self, session: Any) -> None:
        self._edit_passage(session, parts=2)

    def _join(self, session: Any) -> None:
        from chatbot.errors import ConflictError
        from chatbot.records.passages import join_with_next

        passage = self._passage(session)
        if passage is None:
            return
        try:
            joined = join_with_next(session, passage)
        except ConflictError:
            return  # the last one, or the next is switched off
        for word in _words(joined.text):
            self.live[word] = joined.text

    def _switch(self, session: Any) -> None:
        from sqlalchemy import select

        from chatbot.records.knowledge import enable_passage
        from chatbot.records.tables import Passage

        if self._off and self.rng.random() < 0.5:
            text = self.rng.choice(list(self._off))
            passage = session.scalars(select(Passage).where(Passage.text == text)).one()
            enable_passage(session, passage, enabled=True)
            for word in _words(text):
                self.live[word] = text
                self.retired = [old for old in self.retired[-2000:] if old != word]
            del self._off[text]
            return
        passage = self._passage(session)
        if passage is not None:
            self._retire(*_words(passage.text))
            self._off[passage.text] = passage.title_path
            enable_passage(session, passage, enabled=False)


def _words(text: str) -> list[str]:
    return [word for word in text.replace(":", " ").split() if word.startswith("zq")]


@dataclass
class Run:
    writer: Writer
    url: str
    index: Path
    rng: random.Random
    servers: list[Server] = field(default_factory=list)
    searches: int = 0
    stale: int = 0
    lost: int = 0
    differences: int = 0
    kills: int = 0
    checks: int = 0
    wall: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    delays: list[float] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    seconds: float = 0.0

    def go(self, changes: int, tell: Progress, *, seconds: float | None = None) -> None:
        began = time.monotonic()
        for _ in range(2):
            server = Server(self.url, self.index)
            server.start()
            self.servers.append(server)
        self.servers[0].ask(do="save")
        done = 0
        due = {"ask": ASK_EVERY, "check": CHECK_EVERY, "save": SAVE_EVERY}
        while done < changes and (seconds is None or time.monotonic() - began < seconds):
            count = min(self.rng.randint(1, OPERATIONS_AT_ONCE), changes - done)
            fresh = self.writer.change(count)
            done += count
            if self.rng.random() < count / KILL_EVERY:
                self._kill()
            if done >= due["ask"]:
                due["ask"] += ASK_EVERY
                for server in self.servers:
                    self._search(server, found=[])  # before it has followed: nothing of before may show
                    server.ask(do="refresh")
                    self._search(server, found=fresh)
            if done >= due["save"]:
                due["save"] += SAVE_EVERY
                self.rng.choice(self.servers).ask(do="save")
            if done >= due["check"]:
                due["check"] += CHECK_EVERY
                self._check()
                self._delay()
            tell("changes", done / changes)
        self._check()
        self.seconds = time.monotonic() - began

    def _search(self, server: Server, *, found: list[str]) -> None:
        writer = self.writer
        gone = writer.retired[-6:] + self.rng.sample(writer.retired, min(4, len(writer.retired)))
        older = self.rng.sample(list(writer.live), min(4, len(writer.live))) if found else []
        words = [*found, *older, *gone]
        queries = [self._query(word) for word in words]
        answer = server.ask(do="search", queries=queries)
        self._note(answer)
        texts = set(writer.live.values())
        for query, hits in zip(words, answer["hits"], strict=True):
            self.searches += 1
            if any(text not in texts for text in hits):
                self.stale += 1
                self.problems.append(f"stale: {query}: {[text for text in hits if text not in texts][:1]}")
            if query in writer.live and writer.live[query] not in hits:
                self.lost += 1
                self.problems.append(f"lost: {query}")
        self.wall += answer["wall"]
        self.cpu += answer["cpu"]

    def _query(self, word: str) -> str:
        """The word; all of its passage's own words where that was joined from several, of which one is too small a
        share to rank it among the first. (Its whole text would ask for the common words most of all.)"""
        return " ".join(_words(self.writer.live.get(word, word))) or word

    def _check(self) -> None:
        """The whole of both indexes against the database."""
        expected = len(set(self.writer.live.values()))
        for server in self.servers:
            self.checks += 1
            answer = server.ask(do="check")
            self._note(answer)
            self.differences += answer["differences"] + (not answer["consistent"])
            if answer["passages"] != expected:
                self.lost += abs(answer["passages"] - expected)
                self.problems.append(f"{answer['passages']} passages instead of {expected}")

    def _delay(self) -> None:
        """How long until a process that nobody asks to look finds a new passage by itself."""
        fresh = self.writer.change(1) or self.writer.change(5)
        if not fresh:
            return
        began = time.monotonic()
        for server in self.servers:
            while True:
                answer = server.ask(do="search", queries=fresh[:1])
                if self.writer.live[fresh[0]] in answer["hits"][0]:
                    break
                if time.monotonic() - began > 60:
                    self.lost += 1
                    self.problems.append(f"not found after a minute: {fresh[0]}")
                    break
                time.sleep(0.02)
            self.delays.append(time.monotonic() - began)

    def _kill(self) -> None:
        """Kill a process, at times in the middle of following or of writing a snapshot, and start it again."""
        victim = self.rng.choice(self.servers)
        doing = self.rng.choice(("", "refresh", "save", "check"))
        if doing:
            victim.send(do=doing)
            time.sleep(self.rng.random() * 0.05)
        victim.kill()
        victim.start()
        self.kills += 1

    def _note(self, answer: dict[str, Any]) -> None:
        self.problems += [error for error in answer["errors"] if error not in self.problems]

    def figures(self) -> dict[str, Any]:
        import numpy as np

        starts = [second for server in self.servers for second in server.seconds_to_start[1:]]
        return {
            "changes": dict(sorted(self.writer.counts.items())),
            "passages_at_the_end": len(set(self.writer.live.values())),
            "searches": self.searches,
            "kills": self.kills,
            "checks_of_the_whole_index": self.checks,
            "stale": self.stale,
            "lost": self.lost,
            "differences": self.differences,
            "problems": self.problems[:20],
            "search_ms": {
                "p50": round(float(np.median(self.wall)), 3),
                "p99": round(float(np.quantile(self.wall, 0.99)), 3),
                "cpu_p50": round(float(np.median(self.cpu)), 3),
                "cpu_p99": round(float(np.quantile(self.cpu, 0.99)), 3),
            },
            "start_seconds": {
                "p50": round(float(np.median(starts)), 2) if starts else None,
                "max": round(max(starts), 2) if starts else None,
            },
            "seen_after_seconds": {
                "p50": round(float(np.median(self.delays)), 2) if self.delays else None,
                "max": round(max(self.delays), 2) if self.delays else None,
            },
            "seconds": round(self.seconds, 1),
        }
