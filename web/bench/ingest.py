"""``bench ingest``: import a large made-up export, then once more with kill -9 at random points, and compare the rows.

The export is written from a seed: conversations of two languages with names, addresses, order numbers, near-duplicates
and repeats, as helpdesks have them. The import is the real command in a process of its own.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from web.bench.figures import json_option, write_figures

WHATS = {
    "en": [
        "parcel",
        "refund",
        "invoice",
        "voucher",
        "subscription",
        "grinder",
        "kettle",
        "password",
        "order",
        "machine",
        "repair",
        "delivery",
    ],
    "zh": [
        "包裹",
        "退款",
        "发票",
        "优惠券",
        "订阅",
        "磨豆机",
        "水壶",
        "密码",
        "订单",
        "咖啡机",
        "维修",
        "配送",
    ],
}
ASKS = {
    "en": (
        "Hello, where is my {what}? I ordered it {n} days ago and the number is {order}.",
        "My {what} arrived damaged on day {n}. My name is {name}, write to {mail} please.",
        "Can I still change the {what} of order {order}? My phone is {phone}.",
        "I was charged {n} euros twice for the {what}, how do I get that back?",
        "The {what} stopped working after {n} weeks. What can I do now?",
    ),
    "zh": (
        "你好，我的{what}在哪里？我{n}天前下的单，订单号{order}。",
        "我的{what}第{n}天收到时已经损坏，请联系我 {phone}。",
        "订单{order}的{what}还能修改吗？邮箱是{mail}。",
        "{what}被重复扣了{n}元，怎么退？",
        "用了{n}周之后{what}坏了，该怎么办？",
    ),
}
REPLIES = {
    "en": (
        "Thank you for writing. I look into the {what} for you, one moment please.",
        "The {what} left our house {n} days ago and should reach you within {m} working days.",
        "We send the {what} again, without any cost for you, and you keep the first one.",
        "Please send the {what} back with the label that I have just sent to {mail}.",
    ),
    "zh": (
        "感谢您的咨询，我马上为您查看{what}。",
        "{what}已于{n}天前发出，预计{m}个工作日内送达。",
        "我们会免费为您重新寄出{what}。",
        "请用我刚发到 {mail} 的标签把{what}寄回。",
    ),
}
NAMES = ("Jane Roe", "Peter Miller", "Anna Smith", "Tom Baker", "Lucy Hill", "Mark Young")
REPEATED = 0.02  # of the conversations are in the file twice


@dataclass(frozen=True, slots=True)
class Run:
    """One import: how it ended, how long it took, and what its process needed."""

    status: int
    seconds: float
    cpu_seconds: float
    peak_rss_bytes: int


@click.command("ingest")
@click.option("--conversations", default=100_000, show_default=True)
@click.option("--turns", default=18, show_default=True, help="A conversation.")
@click.option("--kills", default=10, show_default=True, help="Of the second import; 0: no second import.")
@click.option("--seed", default=13, show_default=True)
@json_option
def command(conversations: int, turns: int, kills: int, seed: int, json_file: Path | None) -> None:
    """Measure the import: turns a second, memory, and the same rows after kills."""
    from web.terminal import TerminalProgress, print_values

    with TerminalProgress() as progress:
        figures = measure(conversations, turns=turns, kills=kills, seed=seed, progress=progress)
    write_figures(figures, json_file)
    print_values("Import", figures)


def measure(
    conversations: int,
    *,
    turns: int,
    kills: int,
    seed: int = 13,
    progress: Callable[[str, float], None] | None = None,
) -> dict[str, Any]:
    """→ ``turns``, ``seconds``, ``turns_per_second`` (wall and CPU), ``peak_rss_bytes``, ``file_bytes``; with kills
    also ``kills`` that hit, ``same_rows``, ``twice`` (conversations stored twice)."""
    tell = progress or (lambda stage, share: None)
    with tempfile.TemporaryDirectory(prefix="bench-ingest-") as folder:
        export = Path(folder) / "export.jsonl"
        with export.open("w", encoding="utf-8") as file:
            for number, row in enumerate(rows(conversations, turns=turns, seed=seed)):
                file.write(json.dumps(row, ensure_ascii=False) + "\n")
                if number % 1000 == 0:
                    tell("write", number / conversations)
        whole = Path(folder) / "whole"
        tell("import", 0.0)
        first = take_in(export, whole)
        said = conversations * turns
        figures: dict[str, Any] = {
            "conversations": conversations,
            "turns": said,
            "file_bytes": export.stat().st_size,
            "seconds": round(first.seconds, 1),
            "cpu_seconds": round(first.cpu_seconds, 1),
            "turns_per_second": round(said / first.seconds),
            "turns_per_cpu_second": round(said / first.cpu_seconds),
            "peak_rss_bytes": first.peak_rss_bytes,
        }
        if kills:
            broken = Path(folder) / "broken"
            draw = random.Random(seed)
            hit = 0
            for number in range(kills):
                tell("import with kills", number / kills)
                after = 1.0 + draw.random() * 1.6 * first.seconds / kills
                hit += take_in(export, broken, kill_after=after).status == -signal.SIGKILL
            last = take_in(export, broken)
            tell("import with kills", 1.0)
            figures |= {
                "kills": hit,
                "ended": last.status == 0,
                "same_rows": digest(whole) == digest(broken),
                "twice": _twice(broken),
            }
    return figures


def rows(conversations: int, *, turns: int, seed: int) -> Iterator[dict[str, Any]]:
    """Dialogue rows; some conversations come again at once, word by word, under another id."""
    draw = random.Random(seed)
    for number in range(conversations):
        lang = "zh" if draw.random() < 0.3 else "en"
        row = {"id": f"c{number}", "lang": lang, "turns": list(_turns(draw, lang, turns))}
        if draw.random() < 0.5:
            row["intent"] = f"topic_{draw.randrange(40)}"
        yield row
        if draw.random() < REPEATED:
            yield row | {"id": f"again-{number}"}


def _turns(draw: random.Random, lang: str, turns: int) -> Iterator[dict[str, str]]:
    values = {
        "name": draw.choice(NAMES),
        "mail": f"user{draw.randrange(10**6)}@example.com",
        "phone": f"+44 20 7946 {draw.randrange(10**4):04d}",
        "order": f"OR-{draw.randrange(10**7):07d}",
    }
    for place in range(turns):
        words = ASKS[lang] if place % 2 == 0 else REPLIES[lang]
        text = draw.choice(words).format(
            what=draw.choice(WHATS[lang]), n=draw.randrange(2, 400), m=draw.randrange(2, 30), **values
        )
        yield {"role": "customer" if place % 2 == 0 else "agent", "text": text}


def take_in(export: Path, data: Path, *, kill_after: float | None = None) -> Run:
    """Run ``frontdesk ingest transcripts`` on its own data folder, and kill it after so many seconds if asked to."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("FRONTDESK_")}
    began = time.monotonic()
    child = subprocess.Popen(
        [sys.executable, "-m", "web.cli", "ingest", "transcripts", str(export)],
        env=environment | {"FRONTDESK_DATA": str(data)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    while True:
        pid, status, used = os.wait4(child.pid, os.WNOHANG)
        if pid:
            break
        if kill_after is not None and time.monotonic() - began >= kill_after:
            child.kill()
        time.sleep(0.02)
    child.returncode = os.waitstatus_to_exitcode(status)  # wait4 took it from Popen
    return Run(
        child.returncode,
        time.monotonic() - began,
        used.ru_utime + used.ru_stime,
        used.ru_maxrss * (1 if sys.platform == "darwin" else 1024),
    )


def digest(data: Path) -> str:
    """SHA-256 over everything that the import stored, whatever the rows' numbers are."""
    found = hashlib.sha256()
    queries = (
        "SELECT content_hash, external_id, lang, tag, split, turns FROM transcripts ORDER BY content_hash",
        "SELECT t.content_hash, e.text, e.lang, i.name, e.out_of_scope, e.context, e.answer, e.status, e.split, "
        "e.group_key FROM examples e JOIN transcripts t ON t.id = e.transcript_id "
        "LEFT JOIN intents i ON i.id = e.intent_id ORDER BY t.content_hash, e.id",
        "SELECT band, group_key FROM near_duplicates ORDER BY band",
        "SELECT name FROM intents ORDER BY name",
    )
    connection = sqlite3.connect(f"file:{data / 'frontdesk.db'}?mode=ro", uri=True)
    try:
        for query in queries:
            for row in connection.execute(query):
                found.update(repr(row).encode())
    finally:
        connection.close()
    return found.hexdigest()


def _twice(data: Path) -> int:
    connection = sqlite3.connect(f"file:{data / 'frontdesk.db'}?mode=ro", uri=True)
    try:
        (count,) = connection.execute(
            "SELECT count(*) FROM (SELECT content_hash FROM transcripts GROUP BY content_hash HAVING count(*) > 1)"
        ).fetchone()
    finally:
        connection.close()
    return int(count)
