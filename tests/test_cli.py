from __future__ import annotations

import json
import os
import resource
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from chatbot.dialogue.trace import Reply, ReplyPart, Trace
from chatbot.errors import FrontdeskError
from chatbot.records import jobs, people
from chatbot.records.database import Database
from chatbot.records.tables import Promotion, Release
from web import cli
from web.commands import environment
from web.supervisor import READY_FD, Supervisor
from web.terminal import print_values

Run = Callable[..., Result]
ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in [name for name in os.environ if name.startswith("FRONTDESK_") and "TEST" not in name]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("FRONTDESK_DATA", str(tmp_path / "var"))
    monkeypatch.chdir(tmp_path)  # no .env of the checkout
    return tmp_path / "var"


@pytest.fixture
def run(data: Path) -> Run:
    def call(*arguments: str, **options: str) -> Result:
        return CliRunner().invoke(cli.main, list(arguments), **options)  # type: ignore[arg-type]

    return call


def test_help_costs_less_than_half_a_second_of_processor_time() -> None:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    shown = subprocess.run(
        [sys.executable, "-m", "web.cli", "--help"], capture_output=True, text=True, cwd=ROOT
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert shown.returncode == 0
    for name in (
        "demo",
        "db",
        "ingest",
        "retrain",
        "evaluate",
        "releases",
        "chat",
        "serve",
        "worker",
        "user",
        "bench",
    ):
        assert f"\n  {name}" in shown.stdout
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 0.5


def test_the_benchmarks_are_listed_without_being_imported() -> None:
    script = (
        "import sys\nfrom web.cli import main\ntry:\n main(['bench', '--help'])\n"
        "finally:\n print(sorted(m for m in sys.modules if m.startswith('web.bench.')))"
    )
    shown = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=ROOT)
    assert "intents" in shown.stdout
    assert shown.stdout.rstrip().endswith("[]")


@pytest.mark.parametrize(
    ("arguments", "status", "says"),
    [
        (["ingest", "transcripts", "missing.json"], 2, "missing.json"),
        (["ingest", "articles", "missing.md"], 2, "missing.md"),
        (["ingest", "intents", "missing.yaml"], 2, "missing.yaml"),
        (["ingest", "transcripts"], 2, "Missing argument"),
        (["releases", "show", "r0"], 2, "No such release"),
        (["releases", "promote", "r0"], 2, "No such release"),
        (["releases", "rollback"], 2, "no earlier release"),
        (["jobs", "show", "7"], 2, "no such job"),
        (["chat", "hello"], 1, "No release is live yet"),
        (["evaluate"], 1, "No release is live yet"),
        (["retrain"], 1, "nothing to train on"),
        (["retrain", "--device", "abacus"], 2, "abacus"),
        (["serve", "--port", "99999"], 2, "99999"),
        (["db", "check"], 1, "frontdesk db upgrade"),
        (["no-such-command"], 2, "No such command"),
    ],
)
def test_what_cannot_be_done_is_one_clear_line(
    run: Run, arguments: list[str], status: int, says: str
) -> None:
    result = run(*arguments)
    assert result.exit_code == status, result.stderr
    assert says in result.stderr
    assert "Traceback" not in result.output
    lines = [line for line in result.stderr.splitlines() if line.lower().startswith("error:")]
    assert len(lines) == 1


@pytest.mark.parametrize(
    ("variable", "value", "says"),
    [
        ("FRONTDESK_DATABASE_URL", "mysql://localhost/x", "not supported"),
        ("FRONTDESK_DATABASE_URL", "postgresql://nobody@127.0.0.1:1/x", "The database does not answer"),
        ("FRONTDESK_WEB_THREADS", "many", "FRONTDESK_WEB_THREADS"),
        ("PORT", "-1", "PORT"),
    ],
)
def test_a_setting_that_does_not_work_is_one_clear_line(
    run: Run, monkeypatch: pytest.MonkeyPatch, variable: str, value: str, says: str
) -> None:
    monkeypatch.setenv(variable, value)
    result = run("jobs", "list")
    assert result.exit_code in (1, 2)
    assert result.stderr.startswith("error: ")
    assert says in result.stderr


def test_a_defect_of_ours_keeps_its_traceback(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chatbot.records.jobs.list_jobs", lambda *_, **__: 1 / 0)
    assert isinstance(run("jobs", "list").exception, ZeroDivisionError)


def test_an_interrupt_is_quiet(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("chatbot.records.jobs.list_jobs", interrupted)
    result = run("jobs", "list")
    assert (result.exit_code, result.stderr) == (130, "stopped\n")


def test_a_command_that_is_told_to_stop_ends_what_it_began(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    ended: list[str] = []

    def told_to_stop(*_: object, **__: object) -> None:
        try:
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(5)
        finally:
            ended.append("its child")

    before = signal.getsignal(signal.SIGTERM)
    monkeypatch.setattr("chatbot.records.jobs.list_jobs", told_to_stop)
    assert (run("jobs", "list").exit_code, ended) == (143, ["its child"])
    assert signal.getsignal(signal.SIGTERM) is before


def test_the_database_goes_up_and_down_by_command(run: Run, data: Path) -> None:
    assert run("db", "check").exit_code == 1
    assert run("db", "upgrade").exit_code == 0
    assert "up to date" in run("db", "check").stdout
    assert run("db", "downgrade", "base", input="n\n").exit_code == 1
    assert run("db", "downgrade", "base", "--yes").exit_code == 0
    assert run("db", "check").exit_code == 1


def test_articles_go_in_by_command_and_a_second_time_changes_nothing(run: Run, tmp_path: Path) -> None:
    (tmp_path / "help").mkdir()
    (tmp_path / "help" / "refunds.md").write_text("# Refunds\n\nA refund takes three working days to arrive.")
    first = run("ingest", "articles", "help", "--json", "-")
    again = run("ingest", "articles", "help", "--json", "-")
    assert (first.exit_code, again.exit_code) == (0, 0)
    assert json.loads(first.stdout)["kept"] == 1
    assert [file["state"] for file in json.loads(first.stdout)["files"]] == ["imported"]
    again_told = json.loads(again.stdout)  # it is read and held against its article, which stands
    assert [file["state"] for file in again_told["files"]] == ["already"]
    assert (again_told["unchanged"], again_told["kept"]) == (1, 1)


def test_a_dry_run_says_so_and_stores_nothing(run: Run, tmp_path: Path, data: Path) -> None:
    turns = [
        {"role": "customer", "text": "Where is my parcel now?"},
        {"role": "agent", "text": "It is on its way."},
    ]
    (tmp_path / "chats.jsonl").write_text(json.dumps({"id": "1", "lang": "en", "turns": turns}) + "\n")
    result = run("ingest", "transcripts", "chats.jsonl", "--dry-run")
    assert result.exit_code == 0, result.stderr
    assert "nothing was stored" in result.stdout
    report = json.loads(run("ingest", "transcripts", "chats.jsonl", "--json", "-").stdout)
    assert (report["read"], report["duplicates"]) == (1, 0)


def test_an_admin_is_added_by_command(run: Run, data: Path) -> None:
    added = run("user", "add", "Mei@example.com", "--name", "Mei", input="long enough now\nlong enough now\n")
    assert added.exit_code == 0, added.output
    assert "long enough" not in added.output
    database = Database(f"sqlite:///{data / 'frontdesk.db'}")
    with database.read() as session:
        person = people.find_person(session, "mei@example.com")
        assert person is not None
        assert (person.role, person.name) == ("admin", "Mei")
    database.dispose()
    twice = run("user", "add", "mei@example.com", input="long enough now\nlong enough now\n")
    assert twice.exit_code == 2
    assert "here already" in twice.stderr


def test_a_short_password_is_refused_by_command(run: Run) -> None:
    assert run("user", "add", "mei@example.com", "--password", "short").exit_code == 2


class Parrot:
    """Stands in for a release: says back what it was asked."""

    def reply(self, text: str, **asked: object) -> tuple[Reply, Trace]:
        return Reply((ReplyPart(f"{asked['locale']}: {text}", "smalltalk", 1.0),)), Trace(
            "r1", "drafts_only", {}, ()
        )


@pytest.fixture
def live(run: Run, data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run("db", "upgrade")
    database = Database(f"sqlite:///{data / 'frontdesk.db'}")
    with database.write() as session:
        session.add(Release(id="r1", snapshot="s", status="promoted", reason="first release"))
        session.flush()
        session.add(Promotion(release_id="r1"))
        jobs.add_job(session, kind="retrain", arguments={})
    database.dispose()
    monkeypatch.setattr("chatbot.learning.loading.load_assistant", lambda *_: Parrot())


def test_one_message_can_be_tried_in_the_terminal(run: Run, live: None) -> None:
    assert "zh: 退款要多久" in run("chat", "退款要多久").stdout
    answer = json.loads(run("chat", "hello", "--lang", "zh", "--json").stdout)
    assert answer["reply"]["text"] == "zh: hello"
    assert answer["trace"]["release"] == "r1"


def test_releases_and_jobs_are_listed(run: Run, live: None) -> None:
    listed = json.loads(run("releases", "list", "--json").stdout)
    assert [(row["id"], row["live"]) for row in listed] == [("r1", True)]
    assert "first release" in run("releases", "list").stdout
    assert "retrain" in run("jobs", "list").stdout
    assert json.loads(run("jobs", "show", "1", "--json").stdout)["state"] == "queued"


def test_errors_have_the_status_that_scripts_can_rely_on() -> None:
    assert {error.status in cli.INPUT_STATUS for error in (FrontdeskError("x", status=422),)} == {True}
    assert FrontdeskError("x", status=503).status not in cli.INPUT_STATUS


# --- serving ----------------------------------------------------------------------------------------------


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_a_port_that_is_taken_is_one_clear_line(run: Run) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        result = run("serve", "--port", port)
    assert result.exit_code == 1
    assert f"Cannot listen on 127.0.0.1:{port}" in result.stderr


def test_the_command_line_says_the_last_word_about_settings(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PORT", "6001")
    assert environment.load_settings(PORT=6002).port == 6002
    assert environment.load_settings(PORT=None).port == 6001


def answers(address: str) -> int:
    try:
        with urllib.request.urlopen(address, timeout=5) as response:
            return int(response.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code
    except OSError:
        return 0


def children_of(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="reads the process tree from /proc")
def test_serve_starts_web_and_worker_prints_the_first_link_and_ends_both(data: Path) -> None:
    port = free_port()
    command = [sys.executable, "-m", "web.cli", "serve", "--port", str(port)]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as serve:
        try:
            deadline = (
                time.monotonic() + 90
            )  # two processes import everything: half a minute on a busy machine
            while answers(f"http://127.0.0.1:{port}/healthz") != 200:
                assert time.monotonic() < deadline
                assert serve.poll() is None, serve.stderr.read() if serve.stderr else ""
                time.sleep(0.1)
            while len(parts := children_of(serve.pid)) < 2:  # the worker begins once the web server is ready
                assert time.monotonic() < deadline
                time.sleep(0.1)
            assert len(parts) == 2
            assert answers(f"http://127.0.0.1:{port}/readyz") == 503  # nothing is trained here
        finally:
            serve.send_signal(signal.SIGTERM)
            printed, _ = serve.communicate(timeout=60)
    assert serve.returncode == 0
    assert f"http://127.0.0.1:{port}/admin/set-up/" in printed
    assert not [pid for pid in parts if Path(f"/proc/{pid}").exists()]


def test_a_part_that_ends_is_started_again_and_the_others_are_left_alone(tmp_path: Path) -> None:
    marks = tmp_path / "marks"
    once = f"import pathlib, time\np = pathlib.Path({str(marks)!r})\np.open('a').write('x')\n"
    supervisor = Supervisor(
        {
            "brittle": [sys.executable, "-c", once + "raise SystemExit(3)"],
            "steady": [sys.executable, "-c", "import time; time.sleep(60)"],
        }
    )
    supervisor.parts[0].pause = 0.01
    running = threading.Thread(target=supervisor.run)
    running.start()
    try:
        deadline = time.monotonic() + 20
        while not (marks.exists() and len(marks.read_text()) >= 2):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        assert supervisor.parts[0].ended[0] == 3
        steady = supervisor.parts[1].process
        assert supervisor.parts[1].ended == []
    finally:
        supervisor.stop()
        running.join(timeout=20)
    assert steady is not None
    assert steady.poll() is not None


def test_what_waits_begins_when_the_web_server_is_ready_or_has_had_its_time(tmp_path: Path) -> None:
    begun = tmp_path / "begun"
    say = f"import os, pathlib, sys, time\nmark = pathlib.Path({str(begun)!r}).open('a')\n"
    parts: dict[str, Sequence[str]] = {
        "waits": [sys.executable, "-c", say + "mark.write('waits '); mark.close(); time.sleep(60)"],
        "web": [
            sys.executable,
            "-c",
            say + "mark.write('web '); mark.close(); time.sleep(0.5)\n"
            f"os.write(int(os.environ[{READY_FD!r}]), b'ready'); time.sleep(60)",
        ],
        "other": [sys.executable, "-c", "import time; time.sleep(60)"],
    }
    for first_seconds, least in ((30.0, 0.5), (0.3, 0.3)):
        begun.unlink(missing_ok=True)
        supervisor = Supervisor(parts, overlapping=["web"], waiting=["waits"], first_seconds=first_seconds)
        running = threading.Thread(target=supervisor.run)
        start = time.monotonic()
        running.start()
        try:
            while not (begun.exists() and "waits" in begun.read_text()):
                assert time.monotonic() < start + 20
                time.sleep(0.02)
            assert time.monotonic() - start >= least
            assert supervisor.parts[2].process is not None
            assert first_seconds < 1 or begun.read_text() == "web waits "
        finally:
            supervisor.stop()
            running.join(timeout=20)


def test_a_report_names_several_values_as_a_person_would(capsys: pytest.CaptureFixture[str]) -> None:
    print_values("Snapshot", {"languages": ("en", "zh"), "kept": [], "whole": True})
    assert [line.split(maxsplit=1) for line in capsys.readouterr().out.splitlines()[1:]] == [
        ["languages", "en, zh"],
        ["kept", "–"],
        ["whole", "yes"],
    ]
