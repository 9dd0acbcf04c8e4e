"""Several requests in one message: found, so that each is answered in turn.

"Hi! My parcel has not come yet. Also, can I still change the address?" holds a greeting, one request in two
sentences, and a second one. A sentence opens a request of its own only when the models are sure what it asks and
that it is not what its neighbour asks, and when it is said to be another one ("also …") or is a question after a
question: "I unsubscribed in May and the beans still come. How do I make that end?" asks one thing.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from chatbot.dialogue.smalltalk import smalltalk

MAX_REQUESTS = 3  # answered at once; the customer is told of the others
UNSAID = 0.8  # as sure must the models be of a question after a question that nothing calls another one
_END = re.compile(r"(?<=[?？！。；\n])\s*|(?<=[!;])\s+|(?<=[a-z0-9)]\.)\s+(?=[A-Z])")
_BESIDES = "另外(?![那这的半几收])"  # "besides"; 另外那个 is the other one, and 另外收 charges extra
_TURN = re.compile(
    r"\s*(?:,|，|\.|。)?\s+(?=(?:and )?(?:also|by the way|btw|(?:another|one more) (?:question|thing))\b)"
    r"|(?<=[\u3400-\u9fff])[,，、\s]*(?=(?:还有个|还有一个|还有就是|对了|顺便问|顺便再))"
    rf"|(?<=[\u3400-\u9fff])[,，、\s]+(?={_BESIDES})",
    re.IGNORECASE,
)
_ANOTHER = re.compile(
    r"(?:and )?(?:also|by the way|btw|second(?:ly)?|another|one more)\b|\d\s*[.)、:]"
    rf"|(?:{_BESIDES}|还有|对了|顺便|其次|第二)",
    re.IGNORECASE,
)
_ASKS = re.compile(
    r"[?？]"
    r"|^(?:and |but |so |then |please )*(?:how|what|when|where|which|who|why|whose|can|could|may|might|do|does|did"
    r"|is|are|was|were|will|would|should|shall|have|has|am|please|tell|show|send|help|let|cancel|change|give"
    r"|i (?:want|need|wish|'?d like|would like|am looking))\b"
    r"|吗|呢$|怎么|怎样|如何|多少|多久|几[天个点时]|哪|能不能|能否|可不可以|可以.*[吗么不]|是不是|是否|有没有|什么|为啥|为何|请[问帮给]"
    r"|^(?:我)?(?:想|要|需要)|麻烦|帮我",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Subject:
    """What one sentence asks for, as far as the models can tell: a key to compare, and how sure they are."""

    key: str | None
    probability: float


def sentences(text: str) -> list[str]:
    """The message's sentences, small talk left out where something else is there too."""
    found = [
        piece.strip(" ,，")
        for sentence in _END.split(text)
        for piece in _TURN.split(sentence)
        if piece and piece.strip(" ,，")
    ]
    asking = [sentence for sentence in found if smalltalk(sentence) is None]
    return asking or found


def split_requests(text: str, subject_of: Callable[[str], Subject], *, sure: float) -> list[str]:
    """The requests in ``text``, in order; one request is the rule.

    ``subject_of`` tells what one sentence asks. Neighbouring sentences of the same subject are one request.
    """
    pieces = sentences(text)
    if len(pieces) < 2:
        return [pieces[0] if pieces else text]
    if not any(_may_open(piece, pieces[:place]) for place, piece in enumerate(pieces) if place):
        return [" ".join(pieces)]  # whatever the models would say: asking them costs as much as an answer
    subjects = [subject_of(piece) for piece in pieces]
    keys = [subject.key if subject.probability >= sure else None for subject in subjects]
    if len({key for key in keys if key is not None}) < 2:
        return [" ".join(pieces)]
    requests: list[tuple[str | None, list[str]]] = []
    for key, piece, subject in zip(keys, pieces, subjects, strict=True):
        current = requests[-1] if requests else None
        if current is None or (
            key is not None
            and current[0] is not None
            and key != current[0]
            and _opens(piece, current[1], certain=subject.probability >= UNSAID)
        ):
            requests.append((key, [piece]))
        else:
            requests[-1] = (current[0] or key, [*current[1], piece])
    return [" ".join(parts) for _, parts in requests]


def _opens(piece: str, before: list[str], *, certain: bool) -> bool:
    """Whether ``piece`` may be a request beside those ``before`` it, going by how it is said.

    "The deposit, do I get it back? Will there be a charge?" asks one thing: what the second question alone seems to ask
    counts only where the models are certain of it.
    """
    return bool(_ANOTHER.match(piece)) or (certain and _may_open(piece, before))


def _may_open(piece: str, before: list[str]) -> bool:
    """Whether any certainty of the models could let ``piece`` open a request."""
    return bool(_ANOTHER.match(piece)) or (
        bool(_ASKS.search(piece)) and any(_ASKS.search(part) for part in before)
    )
