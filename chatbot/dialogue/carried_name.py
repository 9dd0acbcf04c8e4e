"""The product that was named last, put into a question that leaves it out: "how much is it?", 它多少钱, 多少钱.

The models read what was said before, and most such questions are understood by that. Where one is not, it is read again
with the name in it. By its name alone whatever names the product is near: so the reading counts only where it leads
to something else than what was spoken of, or to a text that holds the amount which was asked for.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

from chatbot.dialogue.facts import facts
from chatbot.dialogue.trace import Message
from chatbot.dialogue.weighing import Candidate
from chatbot.language.simplified import simplified

FAR = 3  # messages of the customer's that are looked through for a name
_NUMBERED = r"[A-Z0-9][\w-]*"
_NAME = re.compile(
    rf"(?:(?<=[a-z,;:(] )|(?<=[\u3400-\u9fff])|(?<=[\u3400-\u9fff] )|^)[A-Z][a-z][\w-]*(?: {_NUMBERED})+"
)
_TOKEN = re.compile(r"[A-Za-z0-9]+(?:-[A-Za-z0-9]+)*")
_PRONOUN = re.compile(
    r"\b(?:it|this one|that one)\b(?!['’])|\bits\b"
    r"|\b(?:this|that)\b(?=\s*(?:costs?|comes?|has|have|works?|fits?|weighs?)\b|\W*$)",  # "that" joins, too
    re.IGNORECASE,
)
_PRONOUN_ZH = re.compile(r"它|[这那](?:一?[款台个把只件种])(?![^的多有能要怎好可]*天)")
_NO_SUBJECT = re.compile(
    r"(?:那|请问|大概|现在|还|要)*(?:多少钱|什么价|价格|售价|怎么卖|贵不?贵|(?:有没)?有(?:现)?货|还有货|几种颜色|什么颜色|有哪些颜色|多重|多大|保修)"
    r"[^，。]{0,6}"
)
_PRICE = re.compile(
    r"\bhow much (?:is|are|does|do|would|will)\b|\bprice\b|\bcosts?\b|多少钱|什么价|价格|售价|怎么卖|贵"
)
_MONEY = frozenset(["EUR", "USD", "GBP", "CNY"])  # units of chatbot/dialogue/facts.py


def with_the_name(request: str, before: Sequence[Message], names: Collection[str]) -> str | None:
    """``request`` with the product that the customer named last in the place of its pronoun; None where it has none,
    names one itself, or none was named. ``names``: words in Latin letters that are parts of names, in small letters."""
    if _named(request, names) is not None:
        return None
    said = [message.text for message in before if message.role == "customer"][-FAR:]
    name = next((found for text in reversed(said) if (found := _named(text, names))), None)
    if name is None:
        return None
    if re.search(r"[\u3400-\u9fff]", request):
        if _PRONOUN_ZH.search(request):
            return _PRONOUN_ZH.sub(lambda _: f" {name} ", request, count=1).strip()
        return f"{name} {request}" if _NO_SUBJECT.fullmatch(simplified(request).strip(" ?？。!！")) else None
    if _PRONOUN.search(request) is None:
        return None
    return _PRONOUN.sub(
        lambda word: f"the {name}" + ("'s" if word[0].lower() == "its" else ""), request, count=1
    )


def tells_more(request: str, best: Candidate, spoken_of: Collection[str | None]) -> bool:
    """Whether what was found by the name may be told: it is nothing of what was ``spoken_of``, or a price was asked for
    and the text has an amount. ``spoken_of``: topics of the reply before, or what it asked back."""
    if best.topic not in spoken_of:
        return True
    text = best.approved or (best.hit.text if best.hit is not None else "")
    return _PRICE.search(request.lower()) is not None and any(fact.unit in _MONEY for fact in facts(text))


def _named(text: str, names: Collection[str]) -> str | None:
    """The last name of several words in it: written large, or of words that are known from names."""
    found = [(match.start(), match[0]) for match in _NAME.finditer(text)]
    run: list[re.Match[str]] = []
    for token in [*_TOKEN.finditer(text), None]:
        if (
            token is not None
            and token[0].lower() in names
            and (not run or token.start() == run[-1].end() + 1)
        ):
            run.append(token)
            continue
        if len(run) > 1:
            found.append((run[0].start(), text[run[0].start() : run[-1].end()]))
        run = [token] if token is not None and token[0].lower() in names else []
    return max(found)[1] if found else None
