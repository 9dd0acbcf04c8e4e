"""A web server that is told to stop (SIGTERM) finishes what it has begun: a real one, its assistant a slow stand-in."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from sqlalchemy import select

from chatbot.records.database import Database
from chatbot.records.tables import Turn

ROOT = Path(__file__).resolve().parent.parent.parent
SERVER = """
import sys, time
from pathlib import Path
sys.path.insert(0, sys.argv[3])
from conftest import ScriptedAssistant
from chatbot.records.database import Database
from chatbot.records.schema import upgrade
from chatbot.records.tables import Promotion, Release
from chatbot.settings import Settings
from web import create_app
from web.serve import WebServer
from web.serving import Serving

settings = Settings(_env_file=None, data=Path(sys.argv[1]), database_url="", PORT=int(sys.argv[2]))
database = Database(settings.database)
upgrade(database)
with database.write() as session:
    session.add(Release(id="r-test", status="promoted", snapshot="s"))
    session.flush()
    session.add(Promotion(release_id="r-test", reason="test"))
database.dispose()
assistant = ScriptedAssistant()

def think(text):
    Path(sys.argv[1], "thinking").touch()
    time.sleep(3)

def load():
    database = Database(settings.database)
    return create_app(settings, database=database, serving=Serving(database, settings, load=lambda *_: assistant))

assistant.before_reply = think
WebServer(settings, load=load).run()
"""


def connection(port: int, process: subprocess.Popen[bytes]) -> http.client.HTTPConnection:
    deadline = time.monotonic() + 60
    while True:
        opened = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        try:
            opened.connect()
        except OSError:
            assert time.monotonic() < deadline and process.poll() is None
            time.sleep(0.1)
            continue
        return opened


@pytest.mark.parametrize("accept", ["text/event-stream", "application/json"])
def test_an_answer_under_way_is_told_and_stored_before_the_process_ends(tmp_path: Path, accept: str) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    command = [sys.executable, "-c", SERVER, str(tmp_path), str(port), str(ROOT / "tests")]
    with subprocess.Popen(command, env=os.environ | {"PYTHONPATH": str(ROOT)}) as process:
        try:
            visitor = connection(port, process)
            visitor.request("POST", "/api/v1/conversations", "{}", {"Content-Type": "application/json"})
            started = json.loads(visitor.getresponse().read())
            headers = {
                "Content-Type": "application/json",
                "Accept": accept,
                "Authorization": f"Bearer {started['token']}",
            }
            body = json.dumps({"text": "where is my refund?"})
            visitor.request("POST", f"/api/v1/conversations/{started['id']}/messages", body, headers)
            deadline = time.monotonic() + 30
            while not (tmp_path / "thinking").exists():
                assert time.monotonic() < deadline
                time.sleep(0.05)
            process.send_signal(signal.SIGTERM)
            answer = visitor.getresponse()
            said = answer.read().decode()
            assert answer.status == 200 and "We write to you when it is sent." in said
            assert "event: reply" in said or accept != "text/event-stream"
            visitor.close()
            assert process.wait(timeout=60) == 0
        finally:
            process.kill()
    database = Database(f"sqlite:///{tmp_path / 'frontdesk.db'}")
    with database.read() as session:
        assert session.scalars(select(Turn.role).order_by(Turn.id)).all() == ["customer", "bot"]
    database.dispose()
