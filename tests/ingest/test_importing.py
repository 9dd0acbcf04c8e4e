import gzip
import json
import os
import signal
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import select

from chatbot.errors import ConflictError, FileError
from chatbot.records import examples, imports
from chatbot.records.tables import Example, Import, Intent, NearDuplicate, Transcript
from ingest.importing import import_articles, import_intents, import_transcripts

SUBJECTS = [
    "kettle",
    "grinder",
    "parcel",
    "invoice",
    "password",
    "voucher",
    "filter",
    "lid",
    "scale",
    "subscription",
]
TROUBLES = [
    "leaks at the bottom",
    "never arrived here",
    "shows a wrong price",
    "cannot be opened",
    "smells of plastic",
]


def dialogue(number, *, intent="broken"):
    subject, trouble = SUBJECTS[number % 10], TROUBLES[number // 10 % 5]
    return {
        "id": f"d{number}",
        "intent": intent,
        "turns": [
            {"role": "customer", "text": "Hi there"},
            {"role": "agent", "text": "Hello! How can I help?"},
            {"role": "customer", "text": f"my {subject} number {number} {trouble}, order KC-2{number:05}"},
            {"role": "agent", "text": "One moment please."},
            {
                "role": "agent",
                "text": f"Sorry about the {subject}. Write to anna{number}@mail.example about it.",
            },
        ],
    }


def stored(database):
    """All rows an import writes, without times and import ids."""
    with database.read() as session:
        return (
            [
                (t.id, t.external_id, t.content_hash, t.lang, t.tag, t.split, t.turns)
                for t in session.scalars(select(Transcript).order_by(Transcript.id))
            ],
            [
                (
                    e.id,
                    e.text,
                    e.intent_id,
                    e.context,
                    e.answer,
                    e.status,
                    e.split,
                    e.group_key,
                    e.transcript_id,
                )
                for e in session.scalars(select(Example).order_by(Example.id))
            ],
            sorted((n.band, n.group_key) for n in session.scalars(select(NearDuplicate))),
            [(i.id, i.name) for i in session.scalars(select(Intent).order_by(Intent.id))],
        )


def test_a_conversation_becomes_a_transcript_and_labelled_examples(knowledge, write_lines):
    report = import_transcripts(knowledge, [write_lines("a.jsonl", [dialogue(1)])])
    assert (report.read, report.kept, report.total("labelled")) == (1, 1, 1)
    with knowledge.read() as session:
        (transcript,) = session.scalars(select(Transcript))
        (example,) = session.scalars(select(Example))
        intent = session.get(Intent, example.intent_id)
    assert [turn["role"] for turn in transcript.turns] == ["customer", "agent", "customer", "agent"]
    assert example.text == "my grinder number 1 leaks at the bottom, order [ORDER]"
    assert example.answer == "Sorry about the grinder. Write to [EMAIL] about it."
    assert (intent.name, intent.titles, example.status) == ("broken", {"en": "Broken"}, "accepted")
    assert example.split == transcript.split
    assert report.counted("turns_dropped") == {"hold": 1}


def test_a_tables_time_is_kept_with_the_conversation(knowledge, tmp_path):
    (tmp_path / "a.csv").write_text(
        "conversation,who,words,when\n1,agent,It comes tomorrow.,2026-03-31 14:06\n"
        "1,customer,where is my parcel,2026-03-31 14:05\n",
        "utf-8",
    )
    columns = {"conversation": "conversation", "role": "who", "text": "words", "time": "when"}
    report = import_transcripts(knowledge, [tmp_path / "a.csv"], columns=columns)
    assert report.errors == 0
    with knowledge.read() as session:
        row = session.scalars(select(Transcript)).one()
        assert row.began_at == datetime(2026, 3, 31, 14, 5, tzinfo=UTC)
        assert [turn["role"] for turn in row.turns] == ["customer", "agent"]


def test_no_personal_value_reaches_the_database_file(knowledge, write_lines, tmp_path):
    import_transcripts(knowledge, [write_lines("a.jsonl", [dialogue(n) for n in range(5)])])
    knowledge.dispose()
    raw = b"".join(path.read_bytes() for path in tmp_path.glob("test.db*"))
    assert b"leaks at the bottom" in raw
    assert b"KC-200001" not in raw
    assert b"@mail.example" not in raw


def test_the_same_file_again_is_a_no_op_with_a_clear_line(knowledge, write_lines):
    path = write_lines("a.jsonl", [dialogue(n) for n in range(3)])
    import_transcripts(knowledge, [path])
    before = stored(knowledge)
    renamed = path.rename(path.with_name("renamed.jsonl"))
    report = import_transcripts(knowledge, [renamed])
    assert stored(knowledge) == before
    assert report.files[0].state == "already"
    assert "imported before" in report.notes[0]
    assert "3 conversations kept" in report.notes[0]


def test_the_same_conversation_in_another_file_is_a_duplicate(knowledge, write_lines):
    import_transcripts(knowledge, [write_lines("a.jsonl", [dialogue(1), dialogue(2)])])
    again = {**dialogue(2), "id": "other"}
    report = import_transcripts(knowledge, [write_lines("b.jsonl", [again, dialogue(3), dialogue(3)])])
    assert (report.read, report.kept, report.duplicates) == (3, 1, 2)


def test_every_row_is_accounted_for_and_errors_carry_their_lines(knowledge, write_lines):
    rows = [
        dialogue(1),
        '{"id": 2, "turns": [',
        {"id": "3", "turns": []},
        {"id": "4", "turns": [{"role": "agent", "text": "Anyone there?"}]},
        {"id": "5", "turns": [{"role": "customer", "text": "hello"}]},
        {"id": "6", "tags": ["spam"], "turns": [{"role": "customer", "text": "buy my watches"}]},
        dialogue(1),
    ]
    report = import_transcripts(knowledge, [write_lines("a.jsonl", rows)])
    assert report.read == report.kept + report.duplicates + report.errors + sum(report.dropped.values()) == 7
    assert report.dropped == {"no_customer": 1, "only_small_talk": 1, "spam": 1}
    assert [(name, error.line) for name, error in report.row_errors] == [("a.jsonl", 2), ("a.jsonl", 3)]
    assert all(error.message and error.remedy for _, error in report.row_errors)


def test_only_the_first_errors_are_kept_and_all_are_counted(knowledge, write_lines):
    report = import_transcripts(knowledge, [write_lines("a.jsonl", [dialogue(1), *["{oops"] * 120])])
    assert report.errors == 120
    assert len(report.row_errors) == 50


def test_a_dry_run_reports_the_same_and_stores_nothing(knowledge, new_database, write_lines):
    path = write_lines("a.jsonl", [dialogue(n) for n in range(7)] + [dialogue(2), "{"])
    tried = import_transcripts(knowledge, [path], dry_run=True)
    assert stored(knowledge) == ([], [], [], [])
    real = import_transcripts(new_database("other.db"), [path])
    for name in ("read", "kept", "duplicates", "errors", "examples", "labelled", "turns"):
        assert tried.total(name) == real.total(name)


def test_near_duplicates_are_in_one_group_and_split(knowledge, write_lines):
    rows = []
    for number in range(6):
        row = dialogue(number)
        row["turns"][2]["text"] = (
            f"my new kettle leaks at the bottom and the lid does not close{'!' * number}"
        )
        row["turns"][4]["text"] += f" {number}"
        rows.append(row)
    import_transcripts(knowledge, [write_lines("a.jsonl", rows)], batch=2)
    with knowledge.read() as session:
        found = session.execute(select(Example.group_key, Example.split)).all()
    assert len(found) == 6
    assert len(set(found)) == 1


def test_tickets_take_the_tag_that_names_an_intent(knowledge, tmp_path):
    intents = tmp_path / "intents.yaml"
    intents.write_text("- name: refund_time\n  titles: {en: Refund time}\n")
    import_intents(knowledge, [intents])
    ticket = {
        "id": 1,
        "requester_id": 7,
        "tags": ["vip", "web", "Refund Time", "kettle"],
        "comments": [
            {"author_id": 7, "body": "when do I get my money back?"},
            {"author_id": 1, "body": "In 5 days."},
        ],
    }
    path = tmp_path / "tickets.json"
    path.write_text(json.dumps([ticket]))
    report = import_transcripts(knowledge, [path])
    assert report.files[0].format == "helpdesk"
    assert report.tags == {"refund_time": 1}
    with knowledge.read() as session:
        assert list(session.scalars(select(Intent.name))) == ["refund_time"]


def test_what_rasa_examples_name_is_kept_where_it_stands_after_redaction(knowledge, tmp_path):
    path = tmp_path / "nlu.yml"
    path.write_text(
        "nlu:\n- intent: broken\n  examples: |\n"
        "    - my  [grinder](item) leaks, write to [ana@mail.example](contact) in [Delft](city)\n"
        "    - the lid cannot be opened at all\n",
        encoding="utf-8",
    )
    import_transcripts(knowledge, [path])
    with knowledge.read() as session:
        rows = session.scalars(select(Example).order_by(Example.id)).all()
    first, second = rows
    named = [(mark["kind"], first.text[mark["start"] : mark["end"]]) for mark in first.entities]
    assert "[EMAIL]" in first.text and named == [("item", "grinder"), ("city", "Delft")]
    assert second.entities == []


def test_out_of_scope_is_a_label_and_no_intent(knowledge, write_lines):
    import_transcripts(
        knowledge, [write_lines("a.jsonl", [dialogue(1, intent="oos"), dialogue(2, intent=None)])]
    )
    with knowledge.read() as session:
        assert session.scalars(select(Intent)).all() == []
        assert list(session.scalars(select(Example.out_of_scope).order_by(Example.id))) == [True, False]
        assert [item.intent for item in examples.labelled(session)] == [None]


def test_what_the_articles_publish_is_kept_in_transcripts(knowledge, tmp_path, write_lines):
    article = tmp_path / "contact.md"
    article.write_text("# Contact\n\nCall us on +31 10 555 0148 or write to hello-desk@kettle.example.\n")
    import_articles(knowledge, [article])
    row = dialogue(1)
    row["turns"][4]["text"] = "Please call +31105550148, not +31612345678."
    import_transcripts(knowledge, [write_lines("a.jsonl", [row])])
    with knowledge.read() as session:
        assert session.scalars(select(Example.answer)).one() == "Please call +31105550148, not [PHONE]."


def test_one_bad_file_does_not_keep_the_others_out(knowledge, write_lines, tmp_path):
    (tmp_path / "empty.jsonl").touch()
    good = write_lines("a.jsonl", [dialogue(1)])
    report = import_transcripts(knowledge, [tmp_path / "empty.jsonl", good])
    assert [file.state for file in report.files] == ["failed", "imported"]
    assert "empty.jsonl is empty" in report.notes[0]
    assert report.kept == 1


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("empty.jsonl", b"", "is empty"),
        ("photo.jsonl", b"\x89PNG\r\n\x1a\n", "PNG picture"),
        ("book.xlsx", b"PK\x03\x04 x", "Office document"),
        ("words.txt", b"just some words\n", "no known transcript format"),
        ("zeit.csv", b"Zeit,Von,Nachricht\n1,2,3\n", "got 'Zeit | Von | Nachricht'). Name them"),
        ("broken.jsonl", b'{"id": 1, "turns"', "no known transcript format"),
        ("broken.jsonl", b"{,}\n{,}\n", "no known transcript format"),
    ],
)
def test_a_file_that_is_none_is_refused_in_one_clear_line(knowledge, tmp_path, name, content, said):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(FileError) as error:
        import_transcripts(knowledge, [path])
    assert said in error.value.one_line()
    assert name in error.value.one_line()
    assert error.value.remedy
    assert stored(knowledge) == ([], [], [], [])


def test_a_gbk_file_is_read_as_it_is(knowledge, write_lines):
    row = {
        "id": "1",
        "turns": [
            {"role": "客户", "text": "退款什么时候到账？"},
            {"role": "客服", "text": "三个工作日内原路退回。"},
        ],
    }
    report = import_transcripts(knowledge, [write_lines("a.jsonl", [row], encoding="gbk")])
    assert (report.kept, report.files[0].encoding, report.languages) == (1, "gb18030", {"zh": 1})


def test_a_file_that_breaks_off_keeps_what_came_before_and_goes_on_when_repaired(knowledge, tmp_path):
    rows = [dialogue(n) for n in range(8)]
    whole = json.dumps(rows)
    path = tmp_path / "a.json"
    path.write_text(whole[:-100])
    report = import_transcripts(knowledge, [path], batch=2)
    assert report.kept == 7
    assert "breaks off" in report.row_errors[0][1].message
    path.write_text(whole)
    report = import_transcripts(knowledge, [path], batch=2)
    assert (report.kept, report.duplicates) == (1, 7)


def test_two_imports_of_one_file_at_once_do_not_store_rows_twice(knowledge, write_lines):
    path = write_lines("a.jsonl", [dialogue(n) for n in range(6)])
    calls = []

    def other_process(stage, fraction):
        if not calls:
            calls.append(stage)
            import_transcripts(knowledge, [path], batch=2)

    with pytest.raises(ConflictError, match="another process"):
        import_transcripts(knowledge, [path], batch=2, progress=other_process)
    with knowledge.read() as session:
        assert examples.counts(session).transcripts == 6


def test_progress_is_told_outside_of_any_transaction(knowledge, write_lines):
    told = []

    def progress(stage, fraction):
        with knowledge.write() as session:  # would wait for itself inside one
            told.append((stage, fraction, imports.recent_imports(session)[0].next_row))

    import_transcripts(
        knowledge, [write_lines("a.jsonl", [dialogue(n) for n in range(5)])], batch=2, progress=progress
    )
    assert [row for _, _, row in told] == [2, 4, 5]
    assert told[-1][:2] == ("transcripts: a.jsonl", 1.0)


KILLED = """
import os, signal, sys
from pathlib import Path
from sqlalchemy import event
from chatbot.records.database import Database
from ingest.importing import import_transcripts

database = Database(sys.argv[1])
commits = 0

def die(connection):
    global commits
    commits += 1
    if commits == int(sys.argv[3]):
        os.kill(os.getpid(), signal.SIGKILL)  # all rows of the batch are written, none is committed

event.listen(database.engine, "commit", die)
import_transcripts(database, [Path(sys.argv[2])], batch=10)
"""


def test_a_killed_import_goes_on_and_ends_with_the_rows_of_an_undisturbed_one(
    new_database, write_lines, tmp_path
):
    path = write_lines("a.jsonl", [dialogue(n, intent=f"topic {n % 3}") for n in range(100)])
    disturbed, undisturbed = new_database("a.db"), new_database("b.db")
    disturbed.dispose()
    for at in (1, 4, 6):  # of the commits of each attempt: the import's row, then one a batch
        url = f"sqlite:///{tmp_path / 'a.db'}"
        run = subprocess.run(
            [sys.executable, "-c", KILLED, url, str(path), str(at)],
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
            capture_output=True,
            timeout=60,
        )
        assert run.returncode == -signal.SIGKILL, run.stderr.decode()
        with disturbed.read() as session:
            state = session.scalars(select(Import)).all()
            assert all(row.state == "running" and row.next_row % 10 == 0 for row in state)
            assert examples.counts(session).transcripts == sum(row.next_row for row in state)
    report = import_transcripts(disturbed, [path], batch=10)
    assert "went on at row 61" in report.notes[0]
    assert (report.read, report.kept) == (100, 100)
    import_transcripts(undisturbed, [path], batch=10)
    assert stored(disturbed) == stored(undisturbed)


MEASURED = """
import resource, sys
from pathlib import Path
from chatbot.records.database import Database
from ingest.importing import import_transcripts

database = Database(sys.argv[1])
import_transcripts(database, [Path(sys.argv[2])])
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
report = import_transcripts(database, [Path(sys.argv[3])], batch=20)
print(report.kept, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


def test_memory_does_not_grow_with_the_file(new_database, tmp_path, write_lines):
    """30 MB in one array need the memory of a few records."""
    path = tmp_path / "big.json"
    filler = "word " * 20_000
    with path.open("w") as file:
        file.write("[")
        for n in range(300):
            turns = [{"role": "customer", "text": f"my kettle {n} leaks"}, {"role": "agent", "text": filler}]
            file.write((",\n" if n else "") + json.dumps({"id": n, "turns": turns}))
        file.write("]")
    assert path.stat().st_size > 28_000_000
    new_database("m.db").dispose()
    small = write_lines("small.jsonl", [dialogue(n) for n in range(50)])
    run = subprocess.run(
        [sys.executable, "-c", MEASURED, f"sqlite:///{tmp_path / 'm.db'}", str(small), str(path)],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        capture_output=True,
        timeout=120,
        check=True,
    )
    kept, grown_kib = map(int, run.stdout.split())
    assert kept == 300
    assert grown_kib < 16 * 1024


def test_dialogues_of_the_public_shapes_come_in_without_the_sets_at_hand(knowledge, tmp_path):
    """Marks beside a turn, calls of a service among the turns, Chinese without tags; packed, and a FAQ."""
    flow = dialogue(1, intent="car_trouble") | {"lang": "en"}
    for turn in flow["turns"]:
        turn["doc"] = "chart-1"
    service = dialogue(2, intent="weather") | {"happy": True, "completion": "Complete"}
    service["turns"][2:2] = [
        {"role": "action", "text": 'query weather [{"City": "Detroit"}]'},
        {"role": "action", "text": 'result {"City": "Detroit", "id": 537}'},
    ]
    untagged = {
        "id": "zh-1",
        "intent": None,
        "turns": [
            {"role": "customer", "text": "亲"},
            {"role": "agent", "text": "您好，有什么可以帮您？"},
            {"role": "customer", "text": "电子发票在哪里可以查看，订单里找不到"},
            {"role": "agent", "text": "您可以在订单详情的最下面看到发票。"},
        ],
    }
    path = tmp_path / "dialogues.jsonl.gz"
    lines = [json.dumps(row, ensure_ascii=False) for row in (flow, service, untagged)]
    path.write_bytes(gzip.compress("\n".join(lines).encode()))
    report = import_transcripts(knowledge, [path])
    assert (report.read, report.errors, report.duplicates) == (3, 0, 0)
    assert report.kept + sum(report.dropped.values()) == 3 and report.kept == 3
    assert report.tags == {"car_trouble": 1, "weather": 1}
    assert report.languages["zh"] == 1
    with knowledge.read() as session:
        roles = {
            transcript.external_id: [turn["role"] for turn in transcript.turns]
            for transcript in session.scalars(select(Transcript))
        }
    assert roles["d2"].count("action") == 2 and roles["d1"].count("action") == 0

    faq = tmp_path / "faq.jsonl"
    row = {
        "id": "brakes/1",
        "question": "Why does it squeak?",
        "answer": "The pads are worn.",
        "topic": "brakes",
    }
    faq.write_text(json.dumps(row) + "\n", encoding="utf-8")
    report = import_articles(knowledge, [faq])
    assert (report.read, report.kept, report.errors) == (1, 1, 0)


@pytest.mark.data
@pytest.mark.parametrize(
    ("name", "rows", "tags"),
    [
        ("flodial/dialogues_valid.jsonl", 76, 12),
        ("star/dialogues_valid.jsonl.gz", 512, 24),
        ("jddc/dialogues_valid.jsonl", 84, 0),
    ],
)
def test_public_dialogues_come_in(knowledge, data_sets, name, rows, tags):
    report = import_transcripts(knowledge, [data_sets / name])
    assert (report.read, report.errors) == (rows, 0)
    assert report.kept + report.duplicates + sum(report.dropped.values()) == rows
    assert report.kept > 0.95 * rows
    assert len(report.tags) <= tags
    assert bool(report.tags) == bool(tags)


@pytest.mark.data
def test_a_public_faq_comes_in(knowledge, data_sets):
    report = import_articles(knowledge, [data_sets / "flodial" / "faq.jsonl"])
    assert (report.read, report.kept, report.errors) == (128, 128, 0)
