"""Several requests in one message: found, so that each is answered in turn.

"Hi! My parcel has not come yet. Also, can I still change the address?" holds a greeting, one request in two
sentences, and a second one. A sentence opens a request of its own only when the models are sure what it asks and
that it is not what its neighbour asks, and when it is said to be another one ("also …") or is a question after a
question: "I unsubscribed in May and the beans still come. How do I make that end?" asks one thing. So does a half of a
sentence: "How do I reset my password and where is my parcel?" is cut, "my order came and the lid is broken" is not.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Protocol

from chatbot.dialogue.smalltalk import smalltalk
from chatbot.dialogue.topics import turns_of
from chatbot.dialogue.trace import Message
from chatbot.dialogue.weighing import Candidate
from chatbot.language.normalise import has_letters

MAX_REQUESTS = 3  # answered at once; the customer is told of the others
UNSAID = 0.8  # as sure must the models be of a question after a question that nothing calls another one
_END = re.compile(
    r"(?<=[?？！。；\n])\s*|(?<=[!;])\s+|(?<=[a-z0-9)]\.)\s+(?=[A-Z])"
    # many write no capitals: only what opens a question or another matter, "approx. 5 days" is one sentence
    r"|(?<=[a-z0-9)]\.)\s+(?=(?:and |but |also,? )?(?:also|how|what|when|where|which|why|can|could|do|does|is|are|i)\b)"
)
_BESIDES = "另外(?![那这的半几收])"  # "besides"; 另外那个 is the other one, and 另外收 charges extra
_COUNTED = re.compile(  # "three things:", "I have two questions -", 三个问题：
    r"^(?:(?:hi|hello|hey|good (?:morning|afternoon|evening))\b[\w ]{0,20}[,.!]?\s+)?"
    r"(?:(?:i|we) (?:have|had|['’]?ve got)|i['’]ve(?: got)?|just|a)?\s*"
    r"(?:two|three|four|five|several|couple of|few|[2-5]) (?:\w+ )?(?:things?|questions?|points?|requests?|issues?)"
    r"(?: (?:for you|please|today))?\s*[:：,.–—-]+\s*(?=\S)"
    r"|^(?:(?:你好|您好)[,，!！\s]*)?(?:我?(?:有|想问)?)(?:两|兩|三|四|几|幾|[2-5])(?:个|個|件)?(?:问题|問題|事情?)[:：,，]\s*(?=\S)",
    re.IGNORECASE,
)
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
_BESIDE_IT = re.compile(  # says that there is more, not what: the models know a question better without it
    r"(?:(?:and )?(?:also|by the way|btw|besides)[\s,:–—-]+"
    r"|(?:and )?(?:another|one more) (?:question|thing)"
    r"(?:\s*[,:.–—-]\s*|\s+(?=(?:how|what|when|where|which|who|why|can|do|is)\b))"
    rf"|(?:{_BESIDES}(?![一买])|对了|顺便(?:再?问(?:一?下)?)?)[\s,，:：]*)(?=\S{{2}})",
    re.IGNORECASE,
)
_ORDERS = (  # what a service is told to do; "get" and "send" go on with what stands before them: "and get a refund"
    r"(?:cancel|change|reset|delete|erase|remove|update|correct|return|exchange|replace|refund|track|reorder|pause|resume"
    r"|skip|stop|close|unsubscribe|redeem|repair|book|register|extend|renew|upgrade|downgrade|resend|tell|show|explain)"
)
_ORDERS_ZH = (
    r"(?:修改|更改|更换|改|取消|退|换|查|开(?:具|个|张|发票)|补开"
    r"|删除?|注销|重置|重设|暂停|恢复|停止|投诉|维修|报修|预约|兑换)"
)
_QUESTIONS = (
    r"(?:how|what|when|where|which|who|why|whose|(?:can|could|may|should|shall|will|would|do|does|did|is|are|was|were"
    r"|have|has|am)(?:n['’]?t)? (?:i|you|we|it|they|there|this|that|these|those|the|my|your|any)\b)"
)
_QUESTIONS_ZH = (
    r"(?:请问|怎么|怎样|咋|如何|多少|多久|几[天个点时]|哪|能不能|能否|可不可以|可以|可否|是不是|是否|有没有|什么|为啥|为什么|为何"
    r"|我?[想要]|需要|麻烦|请?帮我|给我|你们)"
)
# behind a bare comma only what cannot be a relative clause or a member of a list: "which I bought", "when it comes"
_AUXILIARY = r"(?:can|could|may|should|shall|will|would|do|does|did|is|are|was|were|have|has|am)(?:n['’]?t)?"
_INVERTED = (
    rf"(?:(?:how|what|when|where|why|who)(?: much| many| long| often| far| soon| time| kind of \w+)? {_AUXILIARY}\b"
    r"|(?:what|where|when|who|how)['’]s\b|how (?:much|many|long|often|far|soon|to)\b"
    rf"|{_AUXILIARY} (?:i|you|we|it|they|there|this|that|these|those|the|my|your|any)\b)"
)
_JOINT = re.compile(
    r"(\s*[;；]\s*"
    rf"|(?<!if not)(?<!if so)(?<!if yes),\s*(?={_INVERTED})"
    rf"|\s*,?\s+(?:and then|and|then|plus|&)\s+(?=(?:please )?(?:{_QUESTIONS}|i (?:want|need)\b|i['’]d like\b"
    r"|(?:to )?(?:know|find out|ask|check|see) (?:how|what|when|where|which|why|if|whether)\b"
    rf"|{_ORDERS} (?:my|the|our|this|that|it|me|an?)\b))"
    r"|(?<=[\u3400-\u9fff])[,，、\s]*(?:并且|而且|然后|还有|以及|顺便|同时|再(?=帮我|问))[,，\s]*"
    # 运费多少，大概几天能到: a clause that asks, however it begins
    rf"|(?<=[\u3400-\u9fff])[,，、\s]+(?={_QUESTIONS_ZH}|{_ORDERS_ZH}"
    r"|[^,，、。!！?？\s]{1,6}(?:多少|多久|几[天个点时]|怎么|如何|哪)))",
    re.IGNORECASE,
)
_GOES_ON = re.compile(r"(?:and|plus|&)\s+|(?:还有|然后|那)", re.IGNORECASE)
# where several things were announced
_LISTED = re.compile(
    _JOINT.pattern[:-1] + r"|(?<=[\u3400-\u9fff])[,，、]\s*)", re.IGNORECASE
)  # what was counted before
_WISH = re.compile(r"我?(?:想|要(?!是)|需要)")  # 我想买壶，怎么下不了单 asks one thing
_ASKS = re.compile(
    r"[?？]"
    r"|^(?:(?:and|but|so|then|please|hi|hello|hey)[,!]? )*(?:how|what|when|where|which|who|why|whose|can|could|may"
    r"|might|do|does|did|is|are|was|were|will|would|should|shall|have|has|am|please|send|help|let|give"
    rf"|{_ORDERS}|i (?:want|need|wish|'?d like|would like|am looking)|i['’]d like)\b"
    r"|^(?:to )?(?:know|find out|ask|check|see) (?:how|what|when|where|which|why|if|whether)\b"
    r"|[吗嗎]|呢$|怎麼|什麼|幾[天個點時]|請問|怎么|怎样|如何|多少|多久|几[天个点时]|哪|能不能|能否|可不可以|可以.*[吗么不]|是不是|是否|有没有|什么|为啥|为何|请[问帮给]"
    rf"|^{_WISH.pattern}|麻烦|帮我|^(?:再|还要)?{_ORDERS_ZH}",
    re.IGNORECASE,
)
_LEANS = re.compile(
    r"\b(?:it|its|them|they|their|that|this|those|these|one)\b|它|[这那][个些种]"
    r"|^(?:要|得|大概)*(?:多少钱?|多久|几[天个点时]|哪[款个种])[呢啊了?？]*$",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Subject:
    """What one sentence asks for, as far as the models can tell: a key to compare, and how sure they are."""

    key: str | None
    probability: float


class SubjectOf(Protocol):
    """Tells what a sentence asks, with nothing before it or ``behind`` a request that it leans on."""

    def __call__(self, sentence: str, behind: str = ..., /) -> Subject: ...


def subjects(best_of: Callable[[str, Sequence[Message]], Candidate | None]) -> SubjectOf:
    """What the models find for a sentence with nothing before it, or behind another one; asked once for each. What was
    said before the message is left out: behind it every fragment is sure to go on with the same."""
    asked = cache(best_of)

    def subject_of(sentence: str, behind: str | None = None) -> Subject:
        best = asked(sentence, turns_of(behind, asked(behind, ())) if behind is not None else ())
        return Subject(best.article_slug or best.intent, best.probability) if best else Subject(None, 0.0)

    return subject_of


def sentences(text: str) -> list[str]:
    """The message's sentences, small talk left out where something else is there too."""
    counted = _COUNTED.match(text)
    found = [
        piece.strip(" ,，")
        for sentence in _END.split(text[counted.end() :] if counted else text)
        for piece in _TURN.split(sentence)
        if piece and piece.strip(" ,，")
    ]
    # "HELLO??" is a greeting and a mark more
    asking = [sentence for sentence in found if has_letters(sentence) and smalltalk(sentence) is None]
    return asking or found


def leans(request: str) -> bool:
    """Whether it speaks of something named before it: "can I cancel it?", 多少钱."""
    return _LEANS.search(request) is not None


@dataclass(frozen=True, slots=True)
class _Piece:
    """A sentence, or a half of one, with what stands between it and the one before.

    ``joined``: by "and", "然后" or a semicolon, and no bare comma: as good as "also" where it asks something, too.
    """

    text: str
    joint: str = " "
    joined: bool = False

    @property
    def leans(self) -> bool:
        """Whether it is a half that cannot be read without the one before; a sentence is compared as it stands."""
        return self.joint != " " and leans(self.text)


def split_requests(text: str, subject_of: SubjectOf, *, sure: float) -> list[str]:
    """The requests in ``text``, in order; one request is the rule.

    ``subject_of`` tells what one sentence asks, behind another where it leans on that. Neighbouring sentences of the
    same subject are one request.
    """
    pieces: list[_Piece] = []
    counted = _COUNTED.match(text) is not None
    for sentence in sentences(text):
        listed = bool(pieces) and (pieces[-1].text.endswith(";") or bool(_GOES_ON.match(sentence)))
        whole = _Piece(sentence, joined=listed)
        halves = _halves(whole, counted=counted)
        told = pieces and leans(
            halves[0].text
        )  # "Nine of us. What would that cost and who do I write to?": one thing
        pieces += [whole] if told else _requests(halves, subject_of, sure) or [whole]
    if not pieces:
        return [text]
    found = _requests(pieces, subject_of, sure)
    texts = [request.text.rstrip("; ") for request in found] or [" ".join(piece.text for piece in pieces)]
    return [_itself(request) for request in texts]


def _itself(request: str) -> str:
    """A request without "also" or 另外 before it."""
    return request[said.end() :] if (said := _BESIDE_IT.match(request)) else request


def _halves(sentence: _Piece, *, counted: bool = False) -> list[_Piece]:
    """The sentence cut where what stands before and what stands behind both ask something. ``counted``: several things
    were announced, so that a bare comma parts them as well as "and" does."""
    first, *rest = (_LISTED if counted else _JOINT).split(sentence.text)
    found = [replace(sentence, text=first)]
    for joint, text in zip(rest[::2], rest[1::2], strict=True):
        piece, before = _Piece(text, joint, joined=counted or bool(joint.strip(" ,，、"))), found[-1].text
        asked = _ASKS.search(before) and (piece.joined or not _WISH.match(before))
        if asked and _ASKS.search(text):
            found.append(piece)
        else:
            found[-1] = replace(found[-1], text=before + joint + text)
    return found


def _requests(pieces: list[_Piece], subject_of: SubjectOf, sure: float) -> list[_Piece]:
    """The pieces put together to requests; empty where they ask one thing."""
    texts = [piece.text for piece in pieces]
    if not any(_may_open(text, texts[:place]) for place, text in enumerate(texts) if place):
        return []  # whatever the models would say: asking them costs as much as an answer
    subjects = [
        subject_of(_itself(piece.text), before.text)
        if before and piece.leans
        else subject_of(_itself(piece.text))
        for before, piece in zip([None, *pieces], pieces, strict=False)
    ]
    keys = [subject.key if subject.probability >= sure else None for subject in subjects]
    if len({key for key in keys if key is not None}) < 2:
        return []
    requests: list[tuple[str | None, list[_Piece]]] = []
    for key, piece, subject in zip(keys, pieces, subjects, strict=True):
        current = requests[-1] if requests else None
        certain = piece.joined or subject.probability >= UNSAID
        if current is None or (
            key is not None
            and current[0] is not None
            and key != current[0]
            and _opens(piece.text, [part.text for part in current[1]], certain=certain)
        ):
            requests.append((key, [piece]))
        else:
            requests[-1] = (current[0] or key, [*current[1], piece])
    return [_whole(parts) for _, parts in requests] if len(requests) > 1 else []


def _whole(parts: list[_Piece]) -> _Piece:
    first, *rest = parts
    return replace(first, text=first.text + "".join(part.joint + part.text for part in rest))


def _opens(piece: str, before: list[str], *, certain: bool) -> bool:
    """Whether ``piece`` may be a request beside those ``before`` it, going by how it is said.

    "The deposit, do I get it back? Will there be a charge?" asks one thing: what the second question alone seems to ask
    counts only where the models are certain of it, or where it is joined to the first.
    """
    return bool(_ANOTHER.match(piece)) or (certain and _may_open(piece, before))


def _may_open(piece: str, before: list[str]) -> bool:
    """Whether any certainty of the models could let ``piece`` open a request."""
    return bool(_ANOTHER.match(piece)) or (
        bool(_ASKS.search(piece)) and any(_ASKS.search(part) for part in before)
    )
