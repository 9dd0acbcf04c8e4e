"""From a snapshot directory to a bundle: `python -m chatbot.learning.training SNAPSHOT --out BUNDLE`.

This runs on a bare machine with torch: it sees no database, no web, no FAISS. What the search needs on top
(fusion weights, fitted on the index) is added where the index is: chatbot/learning/retraining.py.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from multiprocessing.connection import Connection
from pathlib import Path

from chatbot.errors import FrontdeskError, TrainingError
from chatbot.learning.bundles import Manifest, building, seal
from chatbot.learning.snapshot import load_snapshot
from chatbot.learning.time_plan import TimePlan
from chatbot.learning.training_stages import (
    STAGE_FUNCTIONS,
    STAGES,
    Progress,
    TrainingReport,
    TrainingSettings,
)
from chatbot.progress import Share, as_json
from chatbot.termination import ended_in_order

_APART = ("encoder", "generator", "ranker")  # in a process of their own where there is a core for it


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
    ends_at = TimePlan.begun(settings.budget_seconds, ()).ends_at
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
            planned = replace(settings, plan=TimePlan(ends_at, _timed_parts(apart)))
            beside = stack.enter_context(_Beside(apart, snapshot_folder, folder, planned))
        torch.set_num_threads(cores)
        settings = replace(settings, plan=TimePlan(ends_at, _timed_parts(stages)))
        for stage in stages:
            tell(stage, 0.0)  # what is prepared before the first step is part of it
            with _timed(report, stage):
                STAGE_FUNCTIONS[stage](snapshot, folder, settings, report, tell)
        if beside is not None:
            beside.finish(report, tell)
        encoders = _encoders(folder)
        (folder / "card.json").write_text(
            json.dumps(
                {"metrics": report.metrics, "skipped": report.skipped, "cut": report.cut},
                ensure_ascii=False,
                indent=1,
            )
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


def _timed_parts(stages: Sequence[str]) -> tuple[str, ...]:
    """The stages as the time plan knows them: the classifier has two tiers."""
    return tuple(
        part for stage in stages for part in ((stage, "accurate tier") if stage == "classifier" else (stage,))
    )


def _silent(stage: str, share: float) -> None:
    pass


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
                report.cut.update(message.cut)
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
                STAGE_FUNCTIONS[stage](
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
    parser.add_argument(
        "--start-generator", type=Path, default=None, help="learn on from the generator of this bundle"
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
            generator_start=given.start_generator,
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
