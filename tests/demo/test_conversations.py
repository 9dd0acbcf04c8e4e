"""The demo company's past conversations: a believable helpdesk export, the same for the same seed."""

import json
import re
from collections import Counter
from importlib.resources import files
from pathlib import Path
from random import Random

import pytest
import yaml

from chatbot.errors import FileError, InputError
from ingest.demo.conversations import AGENT_IDS, NEUTRAL_TAGS, compose, write
from ingest.demo.decks import Deck, Table
from ingest.demo.typing_habits import TypingHabits, draw_habits, type_out
from ingest.demo.wording import OUT_OF_SCOPE, SLOT, Entry, Wording, read_wording

DEMO = Path(str(files("ingest.demo")))
TOPICS = {topic["slug"]: topic for topic in yaml.safe_load((DEMO / "topics.yaml").read_text("utf-8"))}
INTENTS = {intent["name"]: intent for intent in yaml.safe_load((DEMO / "intents.yaml").read_text("utf-8"))}
WITH_INTENT = {intent["article"] for intent in INTENTS.values()} - {None}
SLOTS = {"product", "order", "city", "days", "name", "email", "amount", "date"}
NUMBER = re.compile(r"\d[\d,.:]*\d|\d")
ADDRESS = re.compile(r"[\w.+-]+@([\w-]+(?:\.[\w-]+)+)", re.ASCII)  # Chinese may follow without a space
LANGUAGES = ("en", "zh")


@pytest.fixture(scope="module")
def tickets(past: list[dict]) -> list[dict]:
    return past


@pytest.fixture(scope="module")
def wording() -> dict[str, Wording]:
    return dict(read_wording())


def language_of(ticket: dict) -> str:
    return "zh" if ticket["assignee_id"] >= AGENT_IDS["zh"] else "en"


def intent_tags(ticket: dict) -> set[str]:
    return set(ticket["tags"]) & {*INTENTS, OUT_OF_SCOPE}


def written(entry: Entry) -> list[str]:
    spoken = [*entry.openings, *entry.answers]
    spoken += entry.unanswered
    return spoken + [text for pair in entry.followups for text in (*pair.asks, *pair.answers)]


# ------------------------------------------------------------------ the export
def test_a_ticket_has_the_shape_of_a_helpdesk_export(tickets: list[dict]) -> None:
    for ticket in tickets:
        comments = ticket["comments"]
        assert ticket["description"] == comments[0]["body"]
        assert comments[0]["author_id"] == ticket["requester_id"]
        assert comments[0]["created_at"] == ticket["created_at"]
        assert ticket["subject"] and isinstance(ticket["tags"], list)
        assert [c["created_at"] for c in comments] == sorted(c["created_at"] for c in comments)
        for comment in comments:
            assert comment["type"] == "Comment"
            assert comment["body"].strip()
            assert not SLOT.search(comment["body"])
            assert comment.get("plain_body", comment["body"]) == comment["body"]
    ids = [comment["id"] for ticket in tickets for comment in ticket["comments"]]
    assert len(set(ids)) == len(ids)
    assert len({ticket["id"] for ticket in tickets}) == len(tickets)


def test_there_are_thousands_of_conversations_and_at_least_a_third_are_chinese(tickets: list[dict]) -> None:
    languages = Counter(map(language_of, tickets))
    assert len(tickets) >= 6000
    assert languages["zh"] >= len(tickets) / 3
    assert languages["en"] >= len(tickets) / 3


def test_a_chinese_conversation_is_written_in_chinese(tickets: list[dict]) -> None:
    for ticket in tickets:
        bodies = "".join(c["body"] for c in ticket["comments"])  # an English one may ask what 发票 means
        han = len(re.findall(r"[\u4e00-\u9fff]", bodies)) / len(bodies)
        assert (han > 0.05) == (language_of(ticket) == "zh")


def test_conversations_are_of_several_turns_and_end_with_an_answer_or_thanks(tickets: list[dict]) -> None:
    lengths = [sum(comment["public"] for comment in ticket["comments"]) for ticket in tickets]
    assert min(lengths) >= 2
    assert 4 <= sum(lengths) / len(lengths) <= 6
    assert sum(length <= 10 for length in lengths) >= 0.97 * len(lengths)
    assert max(lengths) <= 13
    for ticket in tickets:
        assert any(c["author_id"] != ticket["requester_id"] and c["public"] for c in ticket["comments"])


def test_internal_notes_are_there_and_never_public(tickets: list[dict], wording: dict[str, Wording]) -> None:
    patterns = [
        re.compile(SLOT.sub(".+", re.escape(note).replace(r"\{", "{").replace(r"\}", "}")))
        for words in wording.values()
        for note in words.phrases.notes
    ]
    private = 0
    for comment in (c for ticket in tickets for c in ticket["comments"]):
        is_note = any(pattern.fullmatch(comment["body"]) for pattern in patterns)
        assert is_note == (not comment["public"])
        private += is_note
    assert private > 100


def test_the_same_seed_gives_the_same_export_and_another_seed_another() -> None:
    assert list(compose(7, 60)) == list(compose(7, 60))
    assert list(compose(7, 60)) != list(compose(8, 60))


def test_tags_are_known_and_most_tickets_on_intents_carry_theirs(tickets: list[dict]) -> None:
    known = {*INTENTS, OUT_OF_SCOPE, *NEUTRAL_TAGS}
    assert all(set(ticket["tags"]) <= known for ticket in tickets)
    assert all(len(intent_tags(ticket)) <= 1 for ticket in tickets)
    for lang in LANGUAGES:
        tagged = Counter(tag for t in tickets if language_of(t) == lang for tag in intent_tags(t))
        assert set(tagged) == {*INTENTS, OUT_OF_SCOPE}
        assert min(tagged.values()) >= 10


def test_a_tag_names_the_intent_of_the_opening_and_other_topics_stay_untagged(
    tickets: list[dict], wording: dict[str, Wording]
) -> None:
    intents = {
        text: entry.intent for words in wording.values() for entry in words.entries for text in entry.openings
    }
    checked, tagged = Counter(), Counter()
    for ticket in tickets:
        small_talk = ("greeting", "thanks", "goodbye")  # "hello" also comes before another matter
        if (
            intents.get(ticket["description"], "greeting") not in small_talk
        ):  # typed without slips or additions
            intent = intents[ticket["description"]]
            assert intent_tags(ticket) <= {intent}
            kind = "none" if intent is None else "off" if intent == OUT_OF_SCOPE else "intent"
            checked[kind] += 1
            tagged[kind] += bool(intent_tags(ticket))
    assert min(checked.values()) > 50
    assert tagged["none"] == 0
    for kind in ("intent", "off"):
        assert 0.75 < tagged[kind] / checked[kind] < 0.85


def test_messages_are_messy_and_sometimes_ask_two_things(
    tickets: list[dict], wording: dict[str, Wording]
) -> None:
    lines = {text for words in wording.values() for entry in words.entries for text in entry.openings}
    as_written = sum(ticket["description"] in lines for ticket in tickets)
    assert 0.15 * len(tickets) < as_written < 0.7 * len(tickets)
    everything = "\n".join(c["body"] for t in tickets for c in t["comments"])
    assert everything.count("另外，") > 5
    assert everything.count("And one more thing") > 5
    assert len(re.findall(r"KC-\d{6}", everything)) > 200


def test_no_address_belongs_to_anybody(tickets: list[dict]) -> None:
    hosts = {host for t in tickets for c in t["comments"] for host in ADDRESS.findall(c["body"])}
    assert hosts == {"example.com", "example.org", "example.net", "kettleandcrane.example"}


def test_every_written_opening_is_dealt_once(wording: dict[str, Wording]) -> None:
    for words in wording.values():
        table = Table(words, Random(1))
        written = {(entry, text) for entry in words.entries for text in entry.openings}
        assert {table.openings.draw() for _ in written} == written
        off_topic = sum(entry.intent == OUT_OF_SCOPE for entry, _ in written) / len(written)
        assert 0.06 < off_topic < 0.09


def test_two_questions_in_one_message_are_rare(wording: dict[str, Wording]) -> None:
    joined = [
        re.compile(".*".join(map(re.escape, re.split(r"\{first\}|\{second\}", joiner)))[2:])
        for words in wording.values()
        for joiner in words.phrases.joiners
        if joiner.startswith("{first}")
    ]
    count = 2000
    opened = [ticket["description"] for ticket in compose(3, count)]
    assert 0.005 * count < sum(any(j.search(text) for j in joined) for text in opened) < 0.04 * count


def test_a_deck_deals_every_card_before_any_again() -> None:
    deck = Deck(range(20), Random(1))
    assert sorted(deck.draw() for _ in range(20)) == list(range(20))
    assert sorted(deck.draw() for _ in range(20)) == list(range(20))


def test_an_answer_takes_up_the_telling_words_of_the_question(wording: dict[str, Wording]) -> None:
    for lang, slug, question, word in (
        ("en", "shipping-costs", "And what is it to Switzerland?", "€14.95"),
        ("en", "warranty-period", "Are gaskets included?", "6 months"),
        ("zh", "shipping-costs", "寄到瑞士呢", "14.95"),
    ):
        rng = Random(2)
        table = Table(wording[lang], rng)
        entry = next(entry for entry in wording[lang].entries if entry.topic == slug)
        answers = [table.answer(entry, question, rng, longer=bool(turn % 2)) for turn in range(10)]
        assert all(word in answer for answer in answers), (question, answers)


def test_the_share_of_chinese_is_a_parameter() -> None:
    assert {language_of(t) for t in compose(1, 20, chinese_share=0)} == {"en"}
    assert {language_of(t) for t in compose(1, 20, chinese_share=1)} == {"zh"}


@pytest.mark.parametrize(("count", "share"), [(0, 0.4), (-3, 0.4), (10, 1.2), (10, -0.1)])
def test_a_senseless_count_or_share_is_refused(count: int, share: float) -> None:
    with pytest.raises(InputError):
        list(compose(1, count, chinese_share=share))


def test_the_export_is_written_whole_one_ticket_a_line(tmp_path: Path) -> None:
    path = write(tmp_path / "new", 5, count=30)
    assert [json.loads(line) for line in path.read_text("utf-8").splitlines()] == list(compose(5, 30))
    assert list(path.parent.iterdir()) == [path]


# ------------------------------------------------------------------ the material
@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_intent_and_topic_has_enough_distinct_openings_and_answers(
    lang: str, wording: dict[str, Wording]
) -> None:
    openings: Counter[str] = Counter()
    answers: Counter[str] = Counter()
    seen: dict[str, str] = {}
    for entry in wording[lang].entries:
        key = entry.intent or entry.topic or ""
        openings[key] += len(entry.openings)
        answers[key] += len(entry.answers)
        for text in entry.openings:
            plain = text.lower().strip(" .?!。？！")
            assert plain not in seen, f"{text!r} opens both {key} and {seen[plain]}"
            seen[plain] = key
    assert {name: n for name, n in openings.items() if n < (22 if name in INTENTS else 10)} == {}
    assert {name: n for name, n in answers.items() if n < 5} == {}
    assert set(openings) == {*INTENTS, OUT_OF_SCOPE, *(TOPICS.keys() - WITH_INTENT)}


@pytest.mark.parametrize("lang", LANGUAGES)
def test_entries_name_an_intent_together_with_its_article(lang: str, wording: dict[str, Wording]) -> None:
    for entry in wording[lang].entries:
        assert entry.topic is None or entry.topic in TOPICS
        if entry.intent not in (None, OUT_OF_SCOPE):
            assert INTENTS[entry.intent]["article"] == entry.topic
        if entry.intent is None:
            assert entry.topic not in WITH_INTENT
        assert set(SLOT.findall(" ".join(written(entry)))) <= SLOTS
        assert entry.topic is None or len(entry.followups) >= 12
        assert entry.topic is None or len(entry.unanswered) >= 24


@pytest.mark.parametrize("lang", LANGUAGES)
def test_agents_state_no_figure_that_is_not_in_the_fact_sheet(lang: str, wording: dict[str, Wording]) -> None:
    strange = []
    for entry in (entry for entry in wording[lang].entries if entry.topic is not None):
        approved = (INTENTS.get(entry.intent or "") or {}).get("approved") or {}
        known = set(NUMBER.findall(" ".join([*TOPICS[entry.topic]["facts"], *approved.values()])))
        said = [*entry.answers, *(text for pair in entry.followups for text in pair.answers)]
        strange += [(entry.topic, text) for text in said if not set(NUMBER.findall(text)) <= known]
    assert strange == []


def test_every_topic_leads_to_others(wording: dict[str, Wording]) -> None:
    for words in wording.values():
        topics = {entry.topic for entry in words.entries} - {None}
        assert set(words.followers) == topics
        for topic, others in words.followers.items():
            assert len(set(others)) == 3 and topic not in others and set(others) <= topics


def test_a_damaged_material_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileError, match=r"phrases\.yaml"):
        read_wording(tmp_path)
    for name in ("phrases.yaml", "followers.yaml", "en-personas.yaml"):
        (tmp_path / name).write_bytes((DEMO / "material" / name).read_bytes())
    (tmp_path / "en-orders.yaml").write_text("- topic: order-status\n  openings: [hi]\n", encoding="utf-8")
    followups = tmp_path / "followups-en.yaml"
    followups.write_text("order-status:\n  answered:\n    - ask: [hm]\n", encoding="utf-8")
    with pytest.raises(FileError, match=r"followups-en\.yaml"):
        read_wording(tmp_path)
    followups.write_bytes((DEMO / "material" / followups.name).read_bytes())
    with pytest.raises(FileError, match=r"en-orders\.yaml"):
        read_wording(tmp_path)


# ------------------------------------------------------------------ how customers type
def test_slips_spare_codes_numbers_addresses_and_products() -> None:
    said = "My Crane One from order KC-204817 shows E-4012, write to nora@example.org about the problem"
    careless = TypingHabits(slips=1.0, drops_end=1.0, careless=True)
    typed = type_out(said, careless, Random(3), language="en")
    assert typed != said
    for kept in ("Crane", "KC-204817", "E-4012", "nora@example.org"):
        assert kept in typed


def test_a_careful_customer_types_what_was_written() -> None:
    careful = TypingHabits(slips=0.0, drops_end=0.0)
    for lang, said in (("en", "Where is my parcel?"), ("zh", "我的包裹到哪里了？")):
        assert type_out(said, careful, Random(3), language=lang) == said


def test_chinese_customers_drop_punctuation_and_rarely_write_traditional_characters() -> None:
    careless = TypingHabits(slips=0.0, drops_end=1.0, careless=True)
    assert "？" not in type_out("什么时候发货？", careless, Random(1), language="zh")
    old_style = TypingHabits(slips=0.0, drops_end=0.0, traditional=True)
    assert type_out("请问什么时候发货", old_style, Random(1), language="zh") == "請問什麼時候發貨"
    rng = Random(4)
    share = sum(draw_habits(rng, language="zh").traditional for _ in range(4000)) / 4000
    assert 0.01 < share < 0.05
    assert not any(draw_habits(rng, language="en").traditional for _ in range(500))
