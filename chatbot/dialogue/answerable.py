"""Of what could answer a message, that which has something to say today, with the passage that says it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from chatbot.dialogue.lookup import Lookup
from chatbot.dialogue.priced import priced
from chatbot.dialogue.variants import naming
from chatbot.dialogue.weighing import ARTICLE_LABEL, Candidate, KnownIntent


def answerable(
    request: str,
    ranked: Sequence[Candidate],
    known: Mapping[str, KnownIntent],
    lookup: Lookup,
    *,
    lang: str,
    floor: float,
) -> list[Candidate]:
    """Of what could answer ``request``, that which has something to say.

    Those that reach ``floor`` (a probability) get a passage of their article where the search did not bring one; of
    whom there is nothing to say today, in this language, is left out.
    """
    found: list[Candidate] = []
    for candidate in ranked:
        if candidate.probability >= floor and candidate.hit is None:
            slug, own = candidate.article_slug, known.get(candidate.intent or "")
            passages = lookup.passages(slug, lang) if slug else []
            if passages:
                candidate = replace(candidate, hit=passages[0])
            elif candidate.approved is None and not (own is not None and own.acts):
                continue
        found.append(candidate)
    return priced(request, found, lookup, lang)


def of_topic(
    topic: str, variant: str, known: Mapping[str, KnownIntent], lookup: Lookup, *, lang: str, in_scope: float
) -> list[Candidate]:
    """What was spoken of, where it names the variant that is asked for; else nothing is known of that."""
    own = known.get(topic)
    slug = topic.removeprefix(ARTICLE_LABEL) if own is None else own.article_slug
    hit = naming(variant, lookup.passages(slug, lang)) if slug else None
    if hit is None:
        return []
    return [Candidate(in_scope, own.title if own else hit.title, own.name if own else None, slug, hit=hit)]
