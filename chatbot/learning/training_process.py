"""chatbot.learning.training in a process of its own, or in one for each GPU."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from chatbot.errors import TrainingError
from chatbot.learning.encoders import DOMAIN
from chatbot.learning.recipe_search import RECIPE_FILE
from chatbot.progress import from_json
from chatbot.settings import Settings

Progress = Callable[[str, float], None]
KILLED_AFTER = 10.0  # seconds that a training has to end in when it is told to


def train_apart(
    snapshot: Path,
    out: Path,
    settings: Settings,
    *,
    device: str,
    seed: int,
    budget: float,
    tell: Progress,
    start: Path | None = None,
    generator_start: Path | None = None,
    stages: Sequence[str] = (),
) -> None:
    """Run it and pass its progress on. ``budget``: seconds, 0: no limit. ``start``, ``generator_start``: bundles whose
    classifier and generator are learnt on from. ``stages``: which parts to train; none: all. Raises TrainingError where
    it failed."""
    command = [sys.executable]
    if settings.training_processes > 1:
        command += ["-m", "torch.distributed.run", "--standalone"]
        command += [f"--nproc-per-node={settings.training_processes}"]
    command += ["-m", "chatbot.learning.training", str(snapshot), "--out", str(out)]
    command += ["--device", device, "--seed", str(seed), "--threads", str(settings.training_threads)]
    if settings.encoder != DOMAIN:
        command += ["--encoder", settings.encoder, "--encoder-store", str(settings.encoders)]
    if budget:
        command += ["--budget", str(budget)]
    if (settings.data / RECIPE_FILE).is_file():
        command += ["--recipe", str(settings.data / RECIPE_FILE)]
    if start is not None:
        command += ["--start", str(start)]
    if generator_start is not None:
        command += ["--start-generator", str(generator_start)]
    if stages:
        command += ["--stages", ",".join(stages)]
    with (
        tempfile.TemporaryFile("w+", encoding="utf-8") as errors,
        subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=errors, text=True, encoding="utf-8"
        ) as child,
    ):
        failure: dict[str, Any] = {}
        try:
            for line in child.stdout or ():
                failure = _told(line, tell) or failure
            code = child.wait()
        except BaseException:
            child.terminate()  # torchrun takes its processes along; killed, it would leave them behind
            try:
                child.wait(KILLED_AFTER)
            except subprocess.TimeoutExpired:
                child.kill()
            raise
        if code != 0:
            errors.seek(0)
            last = [line for line in errors.read().splitlines() if line.strip()][-1:]
            raise TrainingError(
                failure.get("message", "The training process failed"),
                value=failure.get("value", last[0] if last else f"exit status {code}"),
                remedy=failure.get("remedy"),
            )


def _told(line: str, tell: Progress) -> dict[str, Any]:
    """One line of the child's output; the error in it, if it is one."""
    try:
        message = json.loads(line)
    except ValueError:
        return {}  # a library printed something
    if not isinstance(message, dict):
        return {}  # so did another, and it reads as JSON: a number, a list
    if "stage" in message:
        tell(f"train {message['stage']}", from_json(message))
    return dict(message.get("error", {}))
