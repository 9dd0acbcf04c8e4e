"""The served generator: trained here in seconds on a tiny shop, read back from its bundle."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from random import Random

import numpy as np
import pytest

from chatbot.dialogue.trace import Message
from chatbot.errors import BundleError, InputError, TrainingError
from chatbot.inference.generate import ResponseGenerator, _Beam, _Step
from chatbot.inference.placeholders import kind_of
from chatbot.learning.generator_start import Start, carry_over
from chatbot.learning.generator_training import (
    GeneratorReport,
    GeneratorSettings,
    load_network,
    new_network,
    train_generator,
)
from chatbot.neural.tokenizer import PLACEHOLDER, SubwordTokenizer

THINGS = ["refund", "delivery", "repair", "exchange", "parcel", "invoice"]
ZH = {
    "refund": "退款",
    "delivery": "配送",
    "repair": "维修",
    "exchange": "换货",
    "parcel": "包裹",
    "invoice": "发票",
}


def shop() -> tuple[list[dict], list[dict]]:
    random = Random(4)
    passages, dialogues = [], []
    for number, thing in enumerate(THINGS):
        days = random.randint(2, 90)
        passages += [
            {"id": number, "title": f"How long does a {thing} take?", "lang": "en",
             "text": f"A {thing} takes {days} days. You can follow it in your account."},
            {"id": number + 50, "title": f"{ZH[thing]}要多久？", "lang": "zh",
             "text": f"{ZH[thing]}需要{days}天。您可以在账户里查看。"},
        ]  # fmt: skip
        for turn in range(14):
            split = "valid" if turn == 13 else "train"
            dialogues += [
                {"id": f"{thing}-{turn}", "lang": "en", "intent": thing, "split": split, "turns": [
                    {"role": "customer", "text": f"hi, how long is a {thing} [ORDER]?"},
                    {"role": "agent", "text": f"Hello! A {thing} takes {days} days.", "sources": [number]}]},
                {"id": f"{thing}-zh-{turn}", "lang": "zh", "intent": thing, "split": split, "turns": [
                    {"role": "customer", "text": f"你好，{ZH[thing]}要几天？"},
                    {"role": "agent", "text": f"您好！{ZH[thing]}需要{days}天。", "sources": [number + 50]}]},
            ]  # fmt: skip
    return dialogues, passages


SETTINGS = GeneratorSettings(
    vocabulary=700, batch=12, epochs=18, least_steps=0, embedding=48, encoder_units=32, decoder_units=64,
    learning_rate=8e-3, patience=0,
)  # fmt: skip


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, GeneratorReport]:
    out = tmp_path_factory.mktemp("bundle")
    told: list[float] = []
    report = train_generator(*shop(), out, device="cpu", settings=SETTINGS, progress=told.append)
    assert told[-1] == pytest.approx(1.0)
    return out, report


@pytest.fixture(scope="module")
def generator(trained: tuple[Path, GeneratorReport]) -> ResponseGenerator:
    return ResponseGenerator.load(trained[0])


def ask(text: str) -> list[Message]:
    return [Message("customer", text)]


def test_the_served_form_finds_replies_as_likely_as_the_trained_form(
    trained: tuple[Path, GeneratorReport],
) -> None:
    assert trained[1].parity["n"] >= 10
    assert trained[1].parity["within_0.1_nats"] == 1.0


@pytest.mark.parametrize("beam", [1, 4])
def test_a_number_is_copied_from_the_passage_even_after_the_passage_was_edited(
    generator: ResponseGenerator, beam: int
) -> None:
    for thing, days in (("refund", 37), ("repair", 58), ("invoice", 64)):
        source = (
            f"How long does a {thing} take?\nA {thing} takes {days} days. You can follow it in your account."
        )
        best = generator.generate(ask(f"how long is a {thing}?"), [source], beam=beam)[0]
        assert f"{days} days" in best.text, best
        assert best.finished
        assert best.copied > 0.3


def test_chinese_is_answered_in_chinese_from_a_chinese_passage(generator: ResponseGenerator) -> None:
    source = "退款要多久？\n退款需要41天。您可以在账户里查看。"
    best = generator.generate(ask("退款要几天？"), [source], lang="zh", beam=4)[0]
    assert "41天" in best.text


def test_candidates_are_distinct_and_ranked(generator: ResponseGenerator) -> None:
    source = "How long does a refund take?\nA refund takes 7 days. You can follow it in your account."
    found = generator.generate(ask("how long is a refund?"), [source], beam=4)
    assert 2 <= len(found) <= 4
    assert len({candidate.text for candidate in found}) == len(found)
    assert all(candidate.score <= 0 for candidate in found)


def test_the_stream_joined_is_the_reply(generator: ResponseGenerator) -> None:
    for source, lang in (("A refund takes 7 days.", "en"), ("退款需要41天。", "zh")):
        pieces = list(generator.stream(ask("how long is a refund?"), [source], lang=lang))
        whole = generator.generate(ask("how long is a refund?"), [source], lang=lang)[0].text
        assert "".join(pieces) == whole
        assert len(pieces) > 1
        assert "\ufffd" not in "".join(pieces)


def test_the_length_is_kept_and_what_was_cut_is_marked(generator: ResponseGenerator) -> None:
    for beam in (1, 3):
        for candidate in generator.generate(
            ask("how long is a refund?"), ["A refund takes 7 days."], beam=beam, max_tokens=3
        ):
            assert len(generator.tokenizer.encode(candidate.text)) <= 3
    cut = generator.generate(ask("how long is a refund?"), ["A refund takes 7 days."], max_tokens=3)
    assert not cut[0].finished


def test_no_four_pieces_are_written_twice(generator: ResponseGenerator) -> None:
    source = "go and go and go and go and go and go and go and go and go and go"
    for beam in (1, 4):
        for candidate in generator.generate(ask("go and go and go"), [source], beam=beam, max_tokens=40):
            pieces = generator.tokenizer.encode(candidate.text)
            runs = [tuple(pieces[i : i + 4]) for i in range(len(pieces) - 3)]
            assert len(runs) - len(set(runs)) <= 1  # re-encoding may cut the text differently at its start


def test_a_reply_from_the_source_is_likelier_than_one_that_contradicts_it(
    generator: ResponseGenerator,
) -> None:
    source = "How long does a refund take?\nA refund takes 37 days."
    right, wrong = generator.score(
        ask("how long is a refund?"), [source], ["A refund takes 37 days.", "A refund takes 52 days."]
    )
    assert right > wrong


def test_it_answers_without_sources_history_or_known_intent(generator: ResponseGenerator) -> None:
    generator.generate([], [], lang="und")
    generator.generate(ask("?"), [], intent="never seen")
    generator.generate(ask("x" * 5000), ["y" * 50000], beam=2)


@pytest.mark.parametrize("options", [{"beam": 0}, {"max_tokens": 0}])
def test_senseless_options_are_refused(generator: ResponseGenerator, options: dict[str, int]) -> None:
    with pytest.raises(InputError):
        generator.generate(ask("hello"), [], **options)


def test_the_same_seed_trains_the_same_network(tmp_path: Path) -> None:
    small = GeneratorSettings(
        vocabulary=500, batch=16, epochs=1, least_steps=0, embedding=16, encoder_units=8, decoder_units=16
    )
    for name in ("a", "b"):
        train_generator(*shop(), tmp_path / name, device="cpu", settings=small, seed=5)
    for file in ("tokenizer.json", "generator/weights.safetensors", "generator/step.onnx"):
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes()


def test_learning_on_knows_what_the_other_release_knew(
    trained: tuple[Path, GeneratorReport], tmp_path: Path
) -> None:
    dialogues, passages = shop()
    dialogues += [row | {"id": f"new-{row['id']}", "intent": "brand_new"} for row in dialogues[:6]]
    short = replace(SETTINGS, epochs=1)
    fresh = train_generator(dialogues, passages, tmp_path / "fresh", device="cpu", settings=short)
    warm = train_generator(
        dialogues, passages, tmp_path / "warm", device="cpu", settings=short, start=trained[0]
    )
    assert warm.metrics["learnt_on_from"] == trained[0].name and not warm.afresh
    assert fresh.metrics["learnt_on_from"] is None
    left, right = warm.metrics["perplexity_a_piece"], fresh.metrics["perplexity_a_piece"]
    assert left - 1 < 0.2 * (right - 1)  # 1.011, 1.863
    assert (tmp_path / "warm" / "tokenizer.json").read_bytes() == (trained[0] / "tokenizer.json").read_bytes()
    assert "brand_new" in ResponseGenerator.load(tmp_path / "warm").intents


def test_weights_are_carried_over_with_the_intents_by_name(trained: tuple[Path, GeneratorReport]) -> None:
    old, tokenizer = load_network(trained[0]), SubwordTokenizer.load(trained[0] / "tokenizer.json")
    intents = ("brand_new", "refund")
    network = new_network(tokenizer, intents, SETTINGS, device="cpu")
    untrained = network.intent_embedding.weight[1].clone()
    carry_over(network, Start(tokenizer, old))
    assert network.decoder.weight_hh_l0.equal(old.decoder.weight_hh_l0)
    assert network.intent_embedding.weight[1].equal(untrained)
    row = old.config.intents.index("refund") + 1
    assert network.intent_embedding.weight[2].equal(old.intent_embedding.weight[row])


@pytest.mark.parametrize(
    ("settings", "start", "why"),
    [
        (replace(SETTINGS, decoder_units=32), None, "has another shape (got 'decoder_units 64')"),
        (SETTINGS, "nowhere", "tokenizer"),
    ],
)
def test_what_cannot_be_learnt_on_from_is_said_and_the_training_begins_afresh(
    trained: tuple[Path, GeneratorReport],
    tmp_path: Path,
    settings: GeneratorSettings,
    start: str | None,
    why: str,
) -> None:
    begin = tmp_path / start if start else trained[0]
    report = train_generator(
        *shop(), tmp_path / "out", device="cpu", settings=replace(settings, epochs=1), start=begin
    )
    assert why in report.afresh
    assert report.metrics["learnt_on_from"] is None and (tmp_path / "out" / "generator").is_dir()


def test_passages_alone_are_enough_to_train_on_and_nothing_is_not(tmp_path: Path) -> None:
    small = GeneratorSettings(
        vocabulary=500, batch=8, epochs=1, least_steps=0, embedding=16, encoder_units=8, decoder_units=16
    )
    report = train_generator([], shop()[1], tmp_path, device="cpu", settings=small)
    assert report.metrics["from_passages"] > 0
    with pytest.raises(TrainingError, match="no agent"):
        train_generator([], [], tmp_path / "empty", device="cpu", settings=small)


def test_a_damaged_bundle_is_named(trained: tuple[Path, GeneratorReport], tmp_path: Path) -> None:
    with pytest.raises(BundleError):
        ResponseGenerator.load(tmp_path)
    import shutil

    shutil.copytree(trained[0], tmp_path / "copy")
    config = json.loads((tmp_path / "copy/generator/config.json").read_text())
    (tmp_path / "copy/generator/config.json").write_text(json.dumps({**config, "format": 99}))
    with pytest.raises(BundleError, match="format"):
        ResponseGenerator.load(tmp_path / "copy")


def test_serving_imports_no_torch(trained: tuple[Path, GeneratorReport]) -> None:
    program = (
        "import sys; from pathlib import Path\n"
        "from chatbot.dialogue.trace import Message\n"
        "from chatbot.inference.generate import ResponseGenerator\n"
        f"found = ResponseGenerator.load(Path({str(trained[0])!r})).generate([Message('customer', 'a refund?')], [])\n"
        "assert not {'torch', 'sentence_transformers', 'transformers'} & set(sys.modules), 'heavy import'\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)


def test_a_passages_sentence_that_is_being_copied_is_copied_to_its_end(generator: ResponseGenerator) -> None:
    text = "A refund takes 30 days. Ask us in your account."
    encoded = generator._encode(ask("A refund takes how long?"), [f"Refunds\n{text}"], (), None, "en")
    source = encoded.source[0]
    place = int(np.flatnonzero(encoded.prose)[-4])  # in the middle of the last sentence
    states = generator._start(encoded, 1)
    runs = np.zeros_like(states.runs)
    runs[0, place] = 4
    other = next(piece for piece in range(20, 400) if piece not in source and not generator._ends[piece])
    scores = np.zeros((1, 2), np.float32)

    def torn(fed: int, *, prose: np.ndarray = encoded.prose) -> list[bool]:
        ids = np.array([[source[place], other]], dtype=np.int64)
        step = _Step(scores, ids, scores[0], scores[0], replace(states, runs=runs))
        return generator._torn(replace(encoded, prose=prose), np.array([fed]), step)[0].tolist()

    assert torn(int(source[place - 1])) == [False, True]
    assert torn(int(np.flatnonzero(generator._ends)[-1])) == [False, False]  # a sentence has just ended
    assert torn(int(source[place - 1]), prose=np.zeros_like(encoded.prose)) == [
        False,
        False,
    ]  # what a look-up says


@pytest.mark.parametrize(("said", "kinds"), [("where is it?", set()), ("where is [ORDER_2]?", {"ORDER"})])
def test_a_placeholder_is_written_only_where_the_conversation_fills_it(
    generator: ResponseGenerator, said: str, kinds: set[str]
) -> None:
    encoded = generator._encode(ask(said), [], (), None, "en")
    pieces = range(generator.tokenizer.size)
    opening = [piece for piece in pieces if "[" in generator.tokenizer.decode([piece])]
    written = {
        generator.tokenizer.decode([piece])
        for piece in opening
        if generator._possible(encoded, _Beam(), piece, 0)
    }
    assert {kind_of(text) for text in written} == kinds
    assert all(PLACEHOLDER.fullmatch(text) for text in written)  # never a bracket by itself


def test_a_written_placeholder_is_filled_from_the_conversation(tmp_path: Path) -> None:
    """Trained on replies that name the order, in conversations where it is the first one."""
    dialogues = [
        {"id": f"{thing}-{turn}", "lang": "en", "split": "train", "turns": [
            {"role": "customer", "text": f"where is the {thing} of [ORDER]?"},
            {"role": "agent", "text": f"The {thing} of [ORDER] is on its way."}]}
        for thing in THINGS for turn in range(10)
    ]  # fmt: skip
    train_generator(dialogues, [], tmp_path, device="cpu", settings=replace(SETTINGS, clean=False))
    writer = ResponseGenerator.load(tmp_path)
    asked = ask("where is the parcel of [ORDER_2]?")
    for beam in (1, 4):
        assert "[ORDER_2]" in writer.generate(asked, [], beam=beam)[0].text
    assert "".join(writer.stream(asked, [])) == writer.generate(asked, [])[0].text
    assert "[" not in writer.generate(ask("where is the parcel?"), [], beam=4)[0].text
