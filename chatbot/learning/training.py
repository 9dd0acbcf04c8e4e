"""From a snapshot directory to a bundle: `python -m chatbot.learning.training SNAPSHOT --out BUNDLE`.

This runs on a bare machine with torch: it sees no database, no web, no FAISS. What the search needs on top
(fusion weights, fitted on the index) is added where the index is: chatbot/learning/retraining.py.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from multiprocessing.connection import Connection
from pathlib import Path
from random import Random
from typing import Any

from chatbot.errors import FrontdeskError, InputError, TrainingError
from chatbot.learning.bundles import Manifest, building, seal
from chatbot.learning.snapshot import OUT_OF_SCOPE, Snapshot, load_snapshot
from chatbot.progress import Share, as_json
from chatbot.termination import ended_in_order

Progress = Callable[[str, float], None]  # stage, share done 0..1
STAGES = ("encoder", "classifier", "generator", "next")
_NEXT_USEFUL = 20.0  # percent hit@3 on held-back conversations
_NEXT_CONVERSATIONS = 6_000  # that teach what is asked next: more change little and take time from the rest
_APART = ("encoder", "generator")  # in a process of their own where there is a core for it


@dataclass(frozen=True, slots=True)
class TrainingSettings:
    """What a training run is asked for. ``budget_seconds`` is shared out over the stages; None: as long as it takes."""

    device: str = "auto"
    seed: int = 13
    threads: int = 0
    budget_seconds: float | None = None
    stages: tuple[str, ...] = STAGES
    encoder: str = ""  # the sentence encoder to have ready (packaged, a name or a folder); empty: none
    encoder_store: Path | None = None
    recipe: Path | None = None  # of the classifier's fast tier, as `frontdesk tune` wrote it
    start: Path | None = None  # a bundle whose classifier to learn on from

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
    """Figures of each stage, seconds of each stage, and what was left out with the reason."""

    metrics: dict[str, Any] = field(default_factory=dict)
    parity: dict[str, Any] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    skipped: dict[str, str] = field(default_factory=dict)


def train(
    snapshot_folder: Path,
    out: Path,
    *,
    settings: TrainingSettings | None = None,
    progress: Progress | None = None,
) -> Manifest:
    """Train every model of a release from ``snapshot_folder`` and write the sealed bundle ``out``.

    Raises InputError for a snapshot that cannot be read, TrainingError where there is nothing to train on,
    ConflictError where ``out`` exists.
    """
    settings = settings or TrainingSettings()
    snapshot = load_snapshot(snapshot_folder)
    if not snapshot.dialogues and not snapshot.examples and not snapshot.passages:
        raise TrainingError("The snapshot is empty", remedy="Ingest transcripts or articles first")
    import torch

    from chatbot.neural import together

    cores = settings.threads or max(1, (os.cpu_count() or 1) // together.on_this_machine())
    report = TrainingReport()
    tell = progress or _silent
    with ExitStack() as stack:
        group = stack.enter_context(together.joined(settings.device))
        if not group.first:  # takes part in all that is learnt; what it writes goes
            tell = _silent
            out = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="training-"))) / out.name
        folder = stack.enter_context(building(out))
        stages = list(settings.stages)
        beside: _Beside | None = None
        if (
            group.size == 1
            and cores > 1
            and len(stages) > 1
            and "generator" in stages
            and _device_name(settings.device) == "cpu"
        ):
            # An LSTM gains next to nothing from a second core, two LSTMs gain all of it. Nothing waits for the encoder
            # here: it goes before the generator, which takes about as long as both tiers of the classifier.
            apart = tuple(stage for stage in stages if stage in _APART)
            stages = [stage for stage in stages if stage not in _APART]
            cores -= 1
            beside = stack.enter_context(_Beside(apart, snapshot_folder, folder, settings))
        torch.set_num_threads(cores)
        for stage in stages:
            tell(stage, 0.0)  # what is prepared before the first step is part of it
            with _timed(report, stage):
                _STAGES[stage](snapshot, folder, settings, report, tell)
        if beside is not None:
            beside.finish(report, tell)
        encoders = _encoders(folder)
        (folder / "card.json").write_text(
            json.dumps({"metrics": report.metrics, "skipped": report.skipped}, ensure_ascii=False, indent=1)
            + "\n",
            encoding="utf-8",
        )
        return seal(
            folder,
            Manifest(
                id=out.name,
                created_at=datetime.now(UTC).isoformat(timespec="seconds"),
                snapshot=snapshot.manifest.fingerprint,
                seed=settings.seed,
                languages=snapshot.manifest.languages,
                torch=torch.__version__,
                device=_device_name(settings.device),
                encoders=encoders,
                metrics=report.metrics,
                parity=report.parity,
                seconds=report.seconds,
            ),
        )


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
    from chatbot.learning.classifier_training import train_classifier
    from chatbot.learning.recipe_search import load_recipe

    figures = train_classifier(
        snapshot.examples,
        folder / "classifier",
        languages=snapshot.manifest.languages,
        device=settings.device,
        seed=settings.seed,
        budget_seconds=_share(settings, 0.7),
        progress=lambda share: tell("classifier", share),
        recipe=load_recipe(settings.recipe) if settings.recipe is not None else None,
        start=settings.start / "classifier" if settings.start is not None else None,
    )
    report.metrics["classifier"], report.parity["classifier"] = figures.metrics, figures.parity
    _train_accurate_tier(snapshot, folder / "classifier", settings, report, tell)


def _train_accurate_tier(
    snapshot: Snapshot, folder: Path, settings: TrainingSettings, report: TrainingReport, tell: Progress
) -> None:
    """Beside the fast tier: an LSTM over the general encoder's token states, for the languages it was trained for."""
    if not settings.encoder or settings.encoder_store is None:
        report.skipped["accurate tier"] = "no sentence encoder here: the fast tier stands alone"
        return
    from chatbot.learning.accurate_training import AccurateRecipe, train_accurate
    from chatbot.learning.cascade import fit_cascade
    from chatbot.learning.encoders import ensure_encoder
    from chatbot.learning.read_vectors import NotingEncoder
    from chatbot.neural.together import first_alone

    with first_alone():
        encoder = NotingEncoder.load(ensure_encoder(settings.encoder, settings.encoder_store))
    spoken = encoder.languages or snapshot.manifest.languages
    rows = [row for row in snapshot.examples if row["lang"] in spoken]
    if len({row["intent"] for row in rows} - {None, OUT_OF_SCOPE}) < 2:
        report.skipped["accurate tier"] = f"too few labelled messages in {', '.join(spoken)}"
        return
    figures = train_accurate(
        rows,
        folder,
        encoder=encoder,
        device=settings.device,
        seed=settings.seed,
        budget_seconds=_share(settings, 0.06),
        progress=lambda share: tell("accurate classifier", share),
        recipe=AccurateRecipe(tune=False),
    )
    report.metrics["accurate"], report.parity["accurate"] = figures.metrics, figures.parity
    report.metrics["cascade"] = fit_cascade(folder, rows, encoder=encoder, seed=settings.seed)
    encoder.save_noted(folder.parent)


def _train_encoder(
    snapshot: Snapshot, folder: Path, settings: TrainingSettings, report: TrainingReport, tell: Progress
) -> None:
    if settings.encoder and settings.encoder_store is not None:
        from chatbot.learning.encoders import ensure_encoder
        from chatbot.neural.together import first_alone

        with first_alone():
            ensure_encoder(settings.encoder, settings.encoder_store)
    foreign = sorted(set(snapshot.manifest.languages) - {"en"})
    if not foreign:
        report.skipped["encoder"] = "every text is English: the packaged encoder serves"
        return
    passages = [row for row in snapshot.passages if row["lang"] in foreign]
    if len(passages) < 2:
        report.skipped["encoder"] = f"too few passages in {', '.join(foreign)} to train an encoder on"
        return
    from chatbot.learning.domain_encoder import train_domain_encoder

    report.metrics["encoder"] = train_domain_encoder(
        passages,
        [row for row in snapshot.pairs if row["lang"] in foreign and row["split"] == "train"],
        folder / "encoder",
        languages=foreign,
        seed=settings.seed,
        progress=lambda share: tell("encoder", share),
    )


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
        budget_seconds=_share(settings, 0.85),
        progress=lambda share: tell("generator", share),
    )
    report.metrics["generator"], report.parity["generator"] = figures.metrics, figures.parity


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
        split: [events_of(row, article_intents=topics) for row in snapshot.dialogues if row["split"] == split]
        for split in ("train", "valid")
    }
    enough = min(len(events["train"]), _NEXT_CONVERSATIONS)
    events["train"] = Random(settings.seed).sample(events["train"], enough)
    follow = sum(max(0, len(one) - 1) for one in events["train"])
    if follow < LEAST:
        report.skipped["next questions"] = (
            f"{follow} questions that follow another are too few to learn from (at least {LEAST})"
        )
        return
    figures = train_next_intents(
        events["train"],
        events["valid"],
        folder,
        settings=NextIntentSettings(epochs=6),
        device=settings.device,
        seed=settings.seed,
        budget_seconds=_share(settings, 0.03),
        progress=lambda state: tell("next questions", state.step / max(1, state.total_steps)),
    )
    report.metrics["next"] = asdict(figures)
    if figures.hit_at_3 < _NEXT_USEFUL:  # a proposal that hardly anybody wants is noise under every answer
        shutil.rmtree(folder / "next")
        report.skipped["next questions"] = (
            f"of three proposed, one is asked next in {figures.hit_at_3:.0f} % of the conversations "
            f"(at least {_NEXT_USEFUL} %)"
        )


_STAGES: dict[str, Callable[[Snapshot, Path, TrainingSettings, TrainingReport, Progress], None]] = {
    "encoder": _train_encoder,
    "classifier": _train_classifier,
    "generator": _train_generator,
    "next": _train_next,
}


def _silent(stage: str, share: float) -> None:
    pass


def _share(settings: TrainingSettings, share: float) -> float | None:
    return settings.budget_seconds * share if settings.budget_seconds is not None else None


def _encoders(folder: Path) -> dict[str, str]:
    """Which encoder folder of the bundle serves which language; others use the installation's encoder."""
    config = folder / "encoder" / "config.json"
    if not config.is_file():
        return {}
    return dict.fromkeys(json.loads(config.read_text(encoding="utf-8"))["languages"], "encoder")


def _device_name(device: str) -> str:
    import torch

    if device == "cpu" or not torch.cuda.is_available():
        return "cpu"
    return str(torch.cuda.get_device_name())


class _Beside:
    """Stages in a process of their own, on one core, while the others run here. A context: leaving it ends the process.

    Its progress is passed on once the others are done, so that what is shown is one stage at a time.
    """

    def __init__(
        self, stages: tuple[str, ...], snapshot: Path, folder: Path, settings: TrainingSettings
    ) -> None:
        self._stages = stages
        context = multiprocessing.get_context("spawn")
        self._told, told = context.Pipe(duplex=False)
        self._process = context.Process(
            target=_run_stages, args=(stages, snapshot, folder, settings, told), name=f"train {stages[-1]}"
        )

    def __enter__(self) -> _Beside:
        self._process.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._process.is_alive():
            self._process.terminate()
        self._process.join()

    def finish(self, report: TrainingReport, tell: Progress) -> None:
        """Wait for the stages and take their figures in. Raises what it raised, or TrainingError where it died."""
        while True:
            try:
                while not self._told.poll(1.0):
                    if not self._process.is_alive() and not self._told.poll(0):
                        raise EOFError
                message = self._told.recv()
            except EOFError as error:
                raise TrainingError("A training process died", value=", ".join(self._stages)) from error
            if isinstance(message, tuple):
                tell(*message)
            elif isinstance(message, TrainingReport):
                report.metrics.update(message.metrics)
                report.parity.update(message.parity)
                report.seconds.update(message.seconds)
                report.skipped.update(message.skipped)
                return
            else:
                raise message


def _run_stages(
    stages: tuple[str, ...],
    snapshot_folder: Path,
    folder: Path,
    settings: TrainingSettings,
    told: Connection,
) -> None:
    """The process of stages beside the others: (stage, share done), then their report or what went wrong."""
    import torch

    torch.set_num_threads(1)
    report = TrainingReport()
    said: dict[str, int] = {}

    def tell(stage: str, share: float) -> None:
        # a percent once: nobody reads before the other stages are done, and a full pipe would stop the work
        if said.get(stage) != int(share * 100):
            said[stage] = int(share * 100)
            told.send((stage, share if isinstance(share, Share) else float(share)))

    try:
        snapshot = load_snapshot(snapshot_folder)
        for stage in stages:
            with _timed(report, stage):
                _STAGES[stage](
                    snapshot,
                    folder,
                    settings,
                    report,
                    tell,
                )
        told.send(report)
    except Exception as error:
        told.send(error)


@contextmanager
def _timed(report: TrainingReport, stage: str) -> Iterator[None]:
    start = time.monotonic()
    yield
    report.seconds[stage] = round(time.monotonic() - start, 2)


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; progress is one JSON object a line on standard output, for a parent that shows it."""
    parser = argparse.ArgumentParser(prog="python -m chatbot.learning.training", description=__doc__)
    parser.add_argument("snapshot", type=Path, help="snapshot directory")
    parser.add_argument("--out", type=Path, required=True, help="bundle directory to write")
    parser.add_argument("--device", default="auto", choices=("auto", "cpu", "cuda"))
    parser.add_argument("--seed", type=int, default=13)
    parser.add_argument("--threads", type=int, default=0, help="0: all cores")
    parser.add_argument("--budget", type=float, default=None, metavar="SECONDS")
    parser.add_argument("--encoder", default="", help="have this sentence encoder exported in the store too")
    parser.add_argument("--encoder-store", type=Path, default=None)
    parser.add_argument("--recipe", type=Path, default=None, help="of the classifier's fast tier")
    parser.add_argument(
        "--start", type=Path, default=None, help="learn on from the classifier of this bundle"
    )
    parser.add_argument("--stages", default=",".join(STAGES), help="which parts to train")
    given = parser.parse_args(arguments)
    said: dict[str, int] = {}

    def tell(stage: str, share: float) -> None:
        percent = int(share * 100)
        if said.get(stage) != percent:
            said[stage] = percent
            sys.stdout.write(json.dumps({"stage": stage, **as_json(share)}) + "\n")
            sys.stdout.flush()

    try:
        settings = TrainingSettings(
            device=given.device,
            seed=given.seed,
            threads=given.threads,
            budget_seconds=given.budget,
            stages=tuple(given.stages.split(",")),
            encoder=given.encoder,
            encoder_store=given.encoder_store,
            recipe=given.recipe,
            start=given.start,
        )
        with ended_in_order():
            manifest = train(given.snapshot, given.out, settings=settings, progress=tell)
    except FrontdeskError as error:
        sys.stdout.write(json.dumps({"error": error.as_json()}) + "\n")
        sys.stderr.write(f"error: {error.one_line()}\n")
        return 1
    if os.environ.get("RANK", "0") != "0":
        return 0
    sys.stdout.write(json.dumps({"done": manifest.id, "seconds": manifest.seconds}) + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
