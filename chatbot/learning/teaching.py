"""Whether a release's accurate tier teaches its fast one, and with which messages that carry no label."""

from __future__ import annotations

from random import Random

from chatbot.language.normalise import fold
from chatbot.learning.classifier_data import Recipe
from chatbot.learning.snapshot import Snapshot

MADE_UP = 10_000  # texts for the teacher to label; the bench makes more, where customers' own are few
TEACHING_SECONDS = (
    300  # of one core: the teacher reads them and the unlabelled ones, and 4,500 steps learn from them
)
TEACHING_A_MESSAGE = 0.06  # and for each labelled one: eight epochs, each with two lessons a message
MOST_UNLABELLED = 20_000  # a teacher reads 300 to 500 messages a second on a core


def unlabelled_messages(snapshot: Snapshot, *, seed: int) -> list[str]:
    """What customers wrote in the training part and nobody labelled, each text once; at most MOST_UNLABELLED, drawn by
    ``seed``. No text that a labelled or a held-back message has too."""
    known = {fold(row["text"]) for row in snapshot.examples if row["intent"] or row["split"] != "train"}
    known |= {
        fold(turn["text"]) for row in snapshot.dialogues if row["split"] != "train" for turn in row["turns"]
    }
    written = [row["text"] for row in snapshot.examples if row["split"] == "train" and not row["intent"]]
    written += [
        turn["text"]
        for row in snapshot.dialogues
        if row["split"] == "train"
        for turn in row["turns"]
        if turn["role"] == "customer"
    ]
    found = {folded: text for text in written if (folded := fold(text)) and folded not in known}
    texts = list(found.values())
    return texts if len(texts) <= MOST_UNLABELLED else Random(seed).sample(texts, MOST_UNLABELLED)


def taught_recipe() -> Recipe:
    return Recipe(augmented=MADE_UP).with_teacher()


def time_to_teach(seconds: float | None, messages: int) -> bool:
    """Whether the fast tier's ``seconds`` (None: as long as it takes) are enough to learn ``messages`` labelled ones
    from a teacher: reading its lessons takes three times the steps."""
    return seconds is None or seconds >= TEACHING_SECONDS + messages * TEACHING_A_MESSAGE
