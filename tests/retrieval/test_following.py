"""Two serving processes follow one database through random changes; one is killed and restarted at random."""

import json
import random
import subprocess
import sys
from pathlib import Path

import pytest

from chatbot.records.database import Database
from chatbot.records.tables import Article, KnowledgeChange, KnowledgeClock, Passage, Table

STEPS = 60
AT_ONCE = 5


class Follower:
    def __init__(self, url, index):
        self.arguments = [sys.executable, str(Path(__file__).with_name("follower.py")), url, str(index)]
        self.process = None
        self.start()

    def start(self):
        self.process = subprocess.Popen(
            self.arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=Path.cwd()
        )

    def ask(self, **command):
        self.process.stdin.write(json.dumps(command) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def kill(self):
        self.process.kill()
        self.process.communicate()


@pytest.fixture
def url(tmp_path):
    url = f"sqlite:///{tmp_path}/frontdesk.db"
    database = Database(url)
    Table.metadata.create_all(database.engine)
    with database.write() as session:
        session.add(KnowledgeClock(id=1, revision=0))
    database.dispose()
    return url


def test_no_stale_hit_and_no_lost_passage_through_changes_and_kills(url, tmp_path):
    rng = random.Random(13)
    database = Database(url)
    followers = [Follower(url, tmp_path / "index") for _ in range(2)]
    live, words, retired, number = {}, {}, [], 0
    try:
        for step in range(STEPS):
            with database.write() as session:
                clock = session.get(KnowledgeClock, 1)
                clock.revision += 1
                for _ in range(rng.randrange(1, AT_ONCE)):
                    kind = rng.choice(["add", "edit", "delete"]) if live else "add"
                    identity = rng.choice(list(live)) if kind != "add" else number + 1
                    if identity in live:
                        retired.append(words.pop(identity))
                    if kind == "delete":
                        session.delete(session.get(Passage, identity))
                        del live[identity]
                    else:
                        number += kind == "add"
                        words[identity] = f"word{identity}x{step}x{len(retired)}"
                        live[identity] = f"{words[identity]} in the text of passage {identity}"
                        session.merge(
                            Article(
                                id=identity,
                                slug=f"a{identity}",
                                lang="en",
                                title="A",
                                body="",
                                content_hash="",
                            )
                        )
                        session.merge(
                            Passage(
                                id=identity,
                                article_id=identity,
                                position=identity,
                                title_path="",
                                lang="en",
                                text=live[identity],
                                content_hash="",
                            )
                        )
                    session.flush()
                    session.add(
                        KnowledgeChange(
                            revision=clock.revision,
                            entry="passage",
                            entry_id=identity,
                            operation="delete" if kind == "delete" else "upsert",
                        )
                    )
            if rng.random() < 0.05:
                victim = rng.choice(followers)
                victim.kill()
                victim.start()
            if rng.random() < 0.05:
                rng.choice(followers).ask(do="save")
            if step % 10 == 9:
                for follower in followers:
                    stale = follower.ask(do="search", words=retired[-5:] + list(words.values())[-5:])
                    assert all(live.get(identity) == text for identity, text in stale["hits"])
                    fresh = follower.ask(do="refresh", words=list(words.values()))
                    assert fresh["passages"] == sorted(live) and fresh["differences"] == 0
                    assert fresh["firsts"] == {word: identity for identity, word in words.items()}
    finally:
        for follower in followers:
            follower.kill()
        database.dispose()
