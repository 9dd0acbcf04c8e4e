import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from chatbot.dialogue.trace import Message
from chatbot.inference.generate import Candidate
from chatbot.inference.past_answers import PastAnswers, Situation
from chatbot.inference.rank import RankedAnswer
from chatbot.inference.reply_choice import SIGNALS, ChoiceWeights
from chatbot.learning.generator_data import Sample
from web.bench.replies import _Lists, command
from web.bench.reply_combination import Choice, Options, choose_length_power, options_for
from web.bench.reply_measures import distinct_2, overlap, rouge_l, sentence_overlap

pytest.importorskip("sacrebleu")


def test_measures_of_known_replies() -> None:
    truth = ["the refund takes five days", "bring it to the shop"]
    assert overlap(truth, truth, chinese=False)[0] == pytest.approx(100.0)
    assert rouge_l(truth, truth) == pytest.approx(100.0)
    assert rouge_l(["a b c d"], ["a x c y"]) == pytest.approx(50.0)
    assert distinct_2(["a b a b"]) == pytest.approx(100 * 2 / 3)
    assert overlap(["三个工作日内退回"], ["三个工作日内退回"], chinese=True)[0] == pytest.approx(100.0)


SAID = ["the", "refund", "takes", "five", "days", "and", "comes", "by", "mail"]


class Wordy:
    """Writes the more words, the higher the power."""

    def generate(self, turns, sources, *, length_power, **options):
        return [Candidate(" ".join(SAID[: int(5 * length_power)]), -1.0)]


def test_how_long_to_write_is_chosen_by_what_agents_wrote() -> None:
    def told(reply: str) -> list[Sample]:
        return [Sample((Message("customer", "when?"),), (), reply, "en")]

    assert choose_length_power(told("the refund takes five"), Wordy(), lambda *at: None) == 0.8
    assert choose_length_power(told(" ".join(SAID)), Wordy(), lambda *at: None) == 1.8


def signals(**columns: list[float]) -> np.ndarray:
    n = len(next(iter(columns.values())))
    return np.stack([columns.get(name, [0.0] * n) for name in SIGNALS], axis=1).astype(np.float32)


def test_a_weight_of_length_prefers_the_longer_of_two_likely_replies() -> None:
    texts = ["ok", "the refund takes five days"]
    options = Options(texts, signals(likelihood=[-0.1, -0.3], length=[0.7, 1.8]), "ok", "ok", "ok", 0.0)
    likely = dict.fromkeys(SIGNALS, 0.0) | {"likelihood": 1.0}
    assert Choice(ChoiceWeights(**likely)).replies(options)["combined"] == "ok"
    longer = Choice(ChoiceWeights(**likely | {"length": 0.5})).replies(options)["combined"]
    assert longer == "the refund takes five days"


class Beam:
    """Two replies, the first of which it would say."""

    def generate(self, turns, sources, **options):
        return [Candidate("in five days", -0.2), Candidate("in a week", -0.1)]

    def score(self, turns, sources, replies, **options):
        return [-0.5] * len(replies)

    def lengths(self, replies):
        return [len(reply.split()) + 1 for reply in replies]


class Ranked:
    bias = 0.5

    def search(self, turns, *, k):
        return [RankedAnswer("in two days", 1.0, 3)]

    def scores(self, turns, texts):
        return np.zeros(len(texts), np.float32)

    def times(self, texts):
        return np.zeros(len(texts), np.float32)


def test_only_what_the_generator_would_say_counts_as_written() -> None:
    asked = (Message("customer", "when does it come?"),)
    past = PastAnswers([Situation(asked, "in three days")])
    options = options_for(Sample(asked, (), "in a week", "en"), past, Beam(), Ranked())
    assert options.texts == ["in five days", "in a week", "in three days", "in two days"]
    assert options.signals[:, SIGNALS.index("written")].tolist() == [1, 0, 0, 0]


def test_one_reply_is_likest_to_itself() -> None:
    assert sentence_overlap("it takes five days", "it takes five days", chinese=False) == pytest.approx(1.0)
    nearer = sentence_overlap("it takes six days", "it takes five days", chinese=False)
    assert nearer > sentence_overlap("bring it along", "it takes five days", chinese=False)
    assert sentence_overlap("三天内退回", "三天内退回", chinese=True) == pytest.approx(1.0)


@pytest.mark.parametrize("pairs", [False, True])
def test_the_bench_trains_measures_and_writes_its_figures(
    tmp_path: Path, pairs: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("web.bench.reply_speed._PLAIN_SECONDS", 0.3)
    things = ("refund", "parcel", "repair", "invoice", "delivery", "voucher")
    rows = []
    for number in range(60):
        thing = things[number % len(things)]
        question, answer = f"where is my {thing} number {number}", f"The {thing} takes {number % 9 + 1} days."
        if pairs:
            rows.append({"context": question, "response": answer, "lang": "en"})
        else:
            found = {"role": "action", "text": json.dumps({"Thing": thing, "Days": number % 9 + 1})}
            turns = [{"role": "customer", "text": question}, found, {"role": "agent", "text": answer}]
            rows.append({"id": f"d{number}", "turns": turns, "lang": "en"})
    for name, part in (("train", rows[:48]), ("valid", rows[48:54]), ("test", rows[54:])):
        (tmp_path / f"{name}.jsonl").write_text("\n".join(map(json.dumps, part)))
    arguments = [
        item for name in ("train", "valid", "test") for item in (f"--{name}", str(tmp_path / f"{name}.jsonl"))
    ]
    result = CliRunner().invoke(
        command, [*arguments, "--seconds", "5", "--threads", "1", "--json", str(tmp_path / "out.json")]
    )
    assert result.exit_code == 0, result.output
    figures = json.loads((tmp_path / "out.json").read_text())
    assert set(figures["systems"]) == {"nearest", "ranked", "generator", "combined"}
    for values in figures["systems"].values():
        assert {"bleu", "chrf", "rouge_l", "distinct_2", "grounded_rate", "recall_at_1_of_100"} <= set(values)
    assert {"perplexity", "copy_rate", "train_seconds", "tokens_per_second", "plain_tokens_per_second", "latency",
            "first_token", "device"} <= set(figures)  # fmt: skip
    assert figures["n_test"] == 6
    assert figures["systems"]["nearest"]["bleu"] > 0


def test_a_few_turns_are_ranked_among_the_replies_of_their_whole_split() -> None:
    turns = [Sample((Message("customer", "when?"),), (), f"in {n} days", "en") for n in range(3)]
    pool = sorted(f"in {n} days" for n in range(150))
    lists = _Lists.of(turns, pool, 10, 13)
    assert len(lists.samples) == 3
    for sample, texts in zip(lists.samples, lists.texts, strict=True):
        assert texts[0] == sample.reply
        assert len(set(texts)) == 100
    assert not _Lists.of(turns, pool[:50], 10, 13).samples
