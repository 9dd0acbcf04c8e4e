"""The stages of a training: each learns one part of a release from a snapshot and writes it into the bundle."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

from chatbot.errors import InputError, TrainingError
from chatbot.inference.encode import ANY_LANGUAGE
from chatbot.learning.snapshot import OUT_OF_SCOPE, Snapshot
from chatbot.learning.time_plan import TimePlan, cut_in_words
from chatbot.neural.fit_report import FitResult

if TYPE_CHECKING:
    from chatbot.learning.read_vectors import NotingEncoder

Progress = Callable[[str, float], None]  # stage, share done 0..1
STAGES = ("encoder", "classifier", "entities", "generator", "ranker", "next")
OWN_ENCODER_PAIRS = 8_000  # questions with their articles, of one language
_NEXT_USEFUL = 20.0  # percent hit@3 on held-back conversations
_NEXT_CONVERSATIONS = (
    6_000  # with a next question, that teach it: more change little and take time from the rest
)


@dataclass(frozen=True, slots=True)
class TrainingSettings:
    """What a training run is asked for. ``budget_seconds`` of wall time are shared out over the stages by ``plan``;
    None: as long as it takes."""

    device: str = "auto"
    seed: int = 13
    threads: int = 0
    budget_seconds: float | None = None
    stages: tuple[str, ...] = STAGES
    encoder: str = ""  # the sentence encoder to have ready (packaged, a name or a folder); empty: none
    encoder_store: Path | None = None
    recipe: Path | None = None  # of the classifier's fast tier, as `frontdesk tune` wrote it
    start: Path | None = None  # a bundle whose classifier to learn on from
    generator_start: Path | None = None  # likewise, its generator
    plan: TimePlan | None = None  # of the process that the stages run in; `train` makes it

    def __post_init__(self) -> None:
        if self.device not in ("auto", "cpu", "cuda"):
            raise InputError(
                "Unknown device", field="device", value=self.device, remedy="Use auto, cpu or cuda"
            )
        unknown = set(self.stages) - set(STAGES)
        if unknown:
            raise InputError("Unknown stage", field="stages", value=", ".join(sorted(unknown)))


@dataclass(slots=True)
class TrainingReport:
    """Figures of each stage, seconds of each stage, what was left out with the reason, and what the clock cut."""

    metrics: dict[str, Any] = field(default_factory=dict)
    parity: dict[str, Any] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    skipped: dict[str, str] = field(default_factory=dict)
    cut: dict[str, str] = field(default_factory=dict)

    def note(self, part: str, fit: FitResult | None) -> None:
        """Write down where the clock ended a fit."""
        words = cut_in_words(fit) if fit is not None else None
        if words:
            self.cut[part] = words


def _train_classifier(
    snapshot: Snapshot, folder: Path, settings: TrainingSettings, report: TrainingReport, tell: Progress
) -> None:
    labels = {row["intent"] for row in snapshot.examples if row["intent"] not in (None, OUT_OF_SCOPE)}
    if len(labels) < 2:
        report.skipped["classifier"] = (
            "the logs carry no tags: the bot answers from articles and past answers"
            if not labels
            else "a classifier needs at least two intents"
        )
        return
    from chatbot.learning.accurate_training import teacher_of
    from chatbot.learning.classifier_training import train_classifier
    from chatbot.learning.recipe_search import load_recipe
    from chatbot.learning.teaching import taught_recipe, unlabelled_messages

    classifier = folder / "classifier"
    reader = _reader_of(snapshot, settings, report)
    recipe = load_recipe(settings.recipe) if settings.recipe is not None else None
    lessons: dict[str, Any] = {}
    if reader is not None and _teaches(snapshot, settings):
        if settings.plan is not None:
            settings = replace(settings, plan=settings.plan.with_first("accurate tier", "classifier"))
        _train_accurate_tier(reader, classifier, settings, report, tell)
        recipe = recipe or taught_recipe()
        lessons = {
            "teacher": teacher_of(classifier, encoder=reader.encoder),
            "taught": reader.encoder.languages,
            "unlabelled": unlabelled_messages(snapshot, seed=settings.seed),
        }
    figures = train_classifier(
        snapshot.examples,
        classifier,
        languages=snapshot.manifest.languages,
        device=settings.device,
        seed=settings.seed,
        budget_seconds=_share(settings, "classifier"),
        progress=lambda share: tell("classifier", share),
        recipe=recipe,
        start=settings.start / "classifier" if settings.start is not None else None,
        **lessons,
    )
    report.metrics["classifier"], report.parity["classifier"] = figures.metrics, figures.parity
    report.note("classifier", figures.fit)
    if reader is not None:
        if not lessons:
            _train_accurate_tier(reader, classifier, settings, report, tell)
        _join_tiers(reader, classifier, settings, report)


def _teaches(snapshot: Snapshot, settings: TrainingSettings) -> bool:
    """Whether the accurate tier is trained first, to teach the fast one. One that learns on from a release's keeps what
    that was taught, and is to be quick."""
    from chatbot.learning.teaching import time_to_teach

    labelled = sum(bool(row["intent"]) for row in snapshot.examples)
    return settings.start is None and time_to_teach(_share(settings, "classifier"), labelled)


@dataclass(frozen=True)
class _Reader:
    """The general encoder whose token states the accurate tier reads, and the examples in its languages."""

    name: str
    store: Path
    encoder: NotingEncoder
    rows: list[dict[str, Any]]


def _reader_of(snapshot: Snapshot, settings: TrainingSettings, report: TrainingReport) -> _Reader | None:
    """None, with the reason in the report, where no encoder knows a language with enough labelled messages."""
    if not settings.encoder or settings.encoder_store is None:
        report.skipped["accurate tier"] = "no sentence encoder here: the fast tier stands alone"
        return None
    from chatbot.learning.encoders import chosen_encoders, ensure_encoder
    from chatbot.learning.read_vectors import NotingEncoder
    from chatbot.neural.together import first_alone

    spoken: Sequence[str] = ()
    for lang, name in reversed(chosen_encoders(settings.encoder).items()):  # the one for most languages first
        if lang not in (ANY_LANGUAGE, *snapshot.manifest.languages) or teaches_its_own(snapshot, lang):
            continue
        with first_alone():
            encoder = NotingEncoder.load(ensure_encoder(name, settings.encoder_store))
        spoken = encoder.languages or snapshot.manifest.languages
        rows = [row for row in snapshot.examples if row["lang"] in spoken]
        if len({row["intent"] for row in rows} - {None, OUT_OF_SCOPE}) >= 2:
            return _Reader(name, settings.encoder_store, encoder, rows)
    report.skipped["accurate tier"] = (
        f"too few labelled messages in {', '.join(spoken)}"
        if spoken
        else "no sentence encoder here: the fast tier stands alone"
    )
    return None


def _train_accurate_tier(
    reader: _Reader, folder: Path, settings: TrainingSettings, report: TrainingReport, tell: Progress
) -> None:
    """Beside the fast tier: an LSTM over the general encoder's token states, for the languages it was trained for."""
    from chatbot.learning.accurate_training import train_accurate

    figures = train_accurate(
        reader.rows,
        folder,
        encoder=reader.encoder,
        device=settings.device,
        seed=settings.seed,
        budget_seconds=_share(settings, "accurate tier"),
        progress=lambda share: tell("accurate classifier", share),
        weights=_to_tune(reader.name, reader.store, settings.device),
    )
    report.metrics["accurate"], report.parity["accurate"] = figures.metrics, figures.parity
    report.note("accurate tier", figures.fit)
    reader.encoder.save_noted(folder.parent)


def _join_tiers(reader: _Reader, folder: Path, settings: TrainingSettings, report: TrainingReport) -> None:
    """The cascade; an accurate tier by which no language gains does not go into the release."""
    from chatbot.inference.classifier_config import ACCURATE_FOLDER
    from chatbot.learning.cascade import fit_cascade

    cascade = fit_cascade(folder, reader.rows, encoder=reader.encoder, seed=settings.seed)
    report.metrics["cascade"] = cascade.as_json()
    silent = cascade.not_asked if cascade.worth_it else list(cascade.languages)
    if silent:
        report.skipped["accurate tier"] = "; ".join(map(cascade.in_words, silent))
    if not cascade.worth_it:
        shutil.rmtree(folder / ACCURATE_FOLDER)
        del report.parity["accurate"]


def _to_tune(encoder: str, store: Path, device: str) -> Path | None:
    """Trained weights of an encoder that learns along: a packaged one, on a GPU. On a CPU that takes ten minutes of a
    retraining, so it stays as it is there."""
    from chatbot.learning.encoders import CHINESE, PACKAGED, packaged_weights
    from chatbot.neural.devices import resolve_device
    from chatbot.neural.together import first_alone

    if encoder not in (PACKAGED, CHINESE) or resolve_device(device).type != "cuda":
        return None
    with first_alone():
        return packaged_weights(encoder, store)


def _train_entities(
    snapshot: Snapshot, folder: Path, settings: TrainingSettings, report: TrainingReport, tell: Progress
) -> None:
    """What messages name, from the marks in examples."""
    if not any(row.get("entities") for row in snapshot.examples):
        report.skipped["entities"] = "no example has what it names marked"
        return
    from chatbot.learning.tagger_training import train_tagger

    try:
        figures = train_tagger(
            snapshot.examples,
            folder,
            device=settings.device,
            seed=settings.seed,
            budget_seconds=_share(settings, "entities"),
            progress=lambda state: tell("entities", state.step / max(1, state.total_steps)),
        )
    except TrainingError as error:
        report.skipped["entities"] = error.one_line()
        return
    report.metrics["entities"] = asdict(figures)
    report.parity["entities"] = {"same_path": figures.same_path}


def teaches_its_own(snapshot: Snapshot, lang: str) -> bool:
    """Whether a language has so many questions with their articles that an encoder taught by them finds as much as one
    that was taught by everybody's texts, and reads a question in a fiftieth of the time.

    On the demo's 11,500 Chinese ones the right article stands first for 75.2 % of the held-back questions by its own
    and for 73.9 by e5 with an adapter; with 100 to 6,000 pairs e5 is two to four points ahead (docs/retrieval.md).
    """
    pairs = sum(row["lang"] == lang and row["split"] == "train" for row in snapshot.pairs)
    return lang != ANY_LANGUAGE and pairs >= OWN_ENCODER_PAIRS


def _train_encoder(
    snapshot: Snapshot, folder: Path, settings: TrainingSettings, report: TrainingReport, tell: Progress
) -> None:
    foreign = set(snapshot.manifest.languages) - {"en"}
    if settings.encoder and settings.encoder_store is not None:
        from chatbot.learning.encoders import chosen_encoders, ensure_encoder
        from chatbot.neural.together import first_alone

        for lang, name in chosen_encoders(settings.encoder).items():
            if lang == ANY_LANGUAGE or (lang in foreign and not teaches_its_own(snapshot, lang)):
                with first_alone():
                    ensure_encoder(name, settings.encoder_store)
                foreign.discard(lang)
    if not foreign:
        report.skipped["encoder"] = "the general encoders know every language of the texts"
        return
    passages = [row for row in snapshot.passages if row["lang"] in foreign]
    if len(passages) < 2:
        report.skipped["encoder"] = f"too few passages in {', '.join(sorted(foreign))} to train an encoder on"
        return
    from chatbot.learning.domain_encoder import train_domain_encoder

    report.metrics["encoder"] = train_domain_encoder(
        passages,
        [row for row in snapshot.pairs if row["lang"] in foreign and row["split"] == "train"],
        folder / "encoder",
        languages=sorted(foreign),
        seed=settings.seed,
        budget_seconds=_share(settings, "encoder"),
        progress=lambda share: tell("encoder", share),
    )
    if report.metrics["encoder"].get("cut"):
        report.cut["encoder"] = report.metrics["encoder"]["cut"]


def _train_generator(
    snapshot: Snapshot, folder: Path, settings: TrainingSettings, report: TrainingReport, tell: Progress
) -> None:
    targets = sum(turn["role"] == "agent" for row in snapshot.dialogues for turn in row["turns"])
    if targets < 50:
        report.skipped["generator"] = (
            f"{targets} agents' turns are too few to learn to write from (at least 50)"
        )
        return
    from chatbot.learning.generator_training import train_generator

    figures = train_generator(
        snapshot.dialogues,
        snapshot.passages,
        folder,
        device=settings.device,
        seed=settings.seed,
        budget_seconds=_share(settings, "generator"),
        progress=lambda share: tell("generator", share),
        start=settings.generator_start,
    )
    if figures.afresh:
        report.skipped["writing on"] = f"trained from scratch: {figures.afresh}"
    report.metrics["generator"], report.parity["generator"] = figures.metrics, figures.parity
    report.note("generator", figures.fit)


def _train_ranker(
    snapshot: Snapshot, folder: Path, settings: TrainingSettings, report: TrainingReport, tell: Progress
) -> None:
    """Past answers as drafts for agents, ranked by a dual encoder that begins as the generator's encoder."""
    if not (folder / "generator").is_dir():
        report.skipped["ranker"] = "the ranker starts from the generator, and there is none"
        return
    from chatbot.learning.past_answer_stage import LEAST_ANSWERS, train_past_answers

    figures = train_past_answers(
        snapshot.dialogues,
        snapshot.passages,
        folder,
        device=settings.device,
        seed=settings.seed,
        budget_seconds=_share(settings, "ranker"),
        progress=lambda share: tell("ranker", share),
    )
    if figures.fit is None:
        report.skipped["ranker"] = (
            f"{figures.answers} different past answers are too few to choose among (at least {LEAST_ANSWERS})"
        )
        return
    report.metrics["ranker"] = figures.metrics
    report.note("ranker", figures.fit)


def _train_next(
    snapshot: Snapshot, folder: Path, settings: TrainingSettings, report: TrainingReport, tell: Progress
) -> None:
    """What customers ask next, from the order in which past conversations asked for things."""
    from chatbot.learning.next_intent_training import (
        LEAST,
        NextIntentSettings,
        events_of,
        topics_of_passages,
        train_next_intents,
    )

    topics = topics_of_passages(snapshot.passages, snapshot.pairs)
    events = {
        split: [
            events
            for row in snapshot.dialogues
            if row["split"] == split and len(events := events_of(row, article_intents=topics)) > 1
        ]
        for split in ("train", "valid")
    }
    enough = min(len(events["train"]), _NEXT_CONVERSATIONS)
    events["train"] = Random(settings.seed).sample(events["train"], enough)
    follow = sum(len(one) - 1 for one in events["train"])
    if follow < LEAST:
        report.skipped["next questions"] = (
            f"{follow} questions that follow another are too few to learn from (at least {LEAST})"
        )
        return
    figures = train_next_intents(
        events["train"],
        events["valid"],
        folder,
        settings=NextIntentSettings(epochs=2, learning_rate=1e-2),
        device=settings.device,
        seed=settings.seed,
        budget_seconds=_share(settings, "next"),
        progress=lambda state: tell("next questions", state.step / max(1, state.total_steps)),
    )
    report.metrics["next"] = asdict(figures)
    if figures.cut:
        report.cut["next questions"] = figures.cut
    if figures.hit_at_3 < _NEXT_USEFUL:  # a proposal that hardly anybody wants is noise under every answer
        shutil.rmtree(folder / "next")
        report.skipped["next questions"] = (
            f"of three proposed, one is asked next in {figures.hit_at_3:.0f} % of the conversations "
            f"(at least {_NEXT_USEFUL} %)"
        )
    elif not figures.learned:
        report.skipped["next questions"] = (
            f"the network knows no more than counting what followed ({figures.counted_hit_at_3:.1f} %): "
            "the counts alone propose"
        )


STAGE_FUNCTIONS: dict[str, Callable[[Snapshot, Path, TrainingSettings, TrainingReport, Progress], None]] = {
    "encoder": _train_encoder,
    "classifier": _train_classifier,
    "entities": _train_entities,
    "generator": _train_generator,
    "ranker": _train_ranker,
    "next": _train_next,
}


def _share(settings: TrainingSettings, stage: str) -> float | None:
    """Seconds of wall time for a stage that begins now; a stage that is run by itself has all of it but the spare."""
    plan = settings.plan or TimePlan.begun(settings.budget_seconds, (stage,))
    share = plan.share(stage)
    if share is None:
        return None
    from chatbot.neural import together
    from chatbot.neural.devices import resolve_device

    return together.agreed(share, resolve_device(settings.device))  # by it they choose what they read
