"""Assistant.reply: a customer's message and the turns before it in, the reply with its whole trace out."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from functools import cache, partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chatbot.dialogue.acting import Actions, complete
from chatbot.dialogue.action_turn import ActionTurn
from chatbot.dialogue.actions import Action, Finder, Talk, nothing
from chatbot.dialogue.additions import Additions
from chatbot.dialogue.answerable import answerable, of_topic
from chatbot.dialogue.carried_name import tells_more, with_the_name
from chatbot.dialogue.changed_mind import read_anew
from chatbot.dialogue.clock import Clock
from chatbot.dialogue.drafting import Writer, draft, sources_about
from chatbot.dialogue.follow_ups import (
    Repeats,
    agreed_to,
    asked_before,
    opens,
    sendable,
    smalltalk_behind,
    topic_before,
    topics_before,
    unsaid,
)
from chatbot.dialogue.fronting import fronted, in_danger
from chatbot.dialogue.given_details import only_details
from chatbot.dialogue.heard import Heard
from chatbot.dialogue.lookup import Lookup
from chatbot.dialogue.not_known import said_why
from chatbot.dialogue.offers import offers_person
from chatbot.dialogue.options import SiteOptions
from chatbot.dialogue.other_codes import without_other_codes
from chatbot.dialogue.others_data import asks_for_others_data
from chatbot.dialogue.past_drafts import PastDrafting
from chatbot.dialogue.person_wish import asks_for_person, declines_person, without_declined
from chatbot.dialogue.policy import ALIKE, Evidence, decide, draft_due, undecided
from chatbot.dialogue.provisional import Provisional
from chatbot.dialogue.readers import Classifier, Search
from chatbot.dialogue.relevance import Encode
from chatbot.dialogue.requests import MAX_REQUESTS, leans, split_requests, subjects
from chatbot.dialogue.said_again import to_say_again
from chatbot.dialogue.saying import Part, say, with_the_rest
from chatbot.dialogue.shown_passage import shown_passage
from chatbot.dialogue.speaking import Footing
from chatbot.dialogue.spoken_language import language_of
from chatbot.dialogue.suggesting import Proposes, suggest
from chatbot.dialogue.tapping import chosen, gone, is_payload, left_to_people, meant_by, payload_of
from chatbot.dialogue.topics import perhaps_meant, topic_of, turns_of
from chatbot.dialogue.trace import Classification, Draft, Hit, Message, PartTrace, Reply, Trace
from chatbot.dialogue.unhelped import unhelped
from chatbot.dialogue.variants import variant_asked
from chatbot.dialogue.weighing import (
    PERSON_INTENT,
    SMALLTALK_INTENTS,
    Candidate,
    KnownIntent,
    Weighing,
    gather,
    length_of,
    titled,
    weigh,
    with_provisional,
)
from chatbot.inference.prototypes import apart
from chatbot.language.normalise import has_letters, normalise, says_something, says_too_much, tidy
from chatbot.language.redaction import Redactor
from chatbot.retrieval.spelling import Spelling

HISTORY_TURNS = 6
READ_LIMIT = 1_000  # characters the models read of a message; a pasted page asks its question early


class Assistant:
    """One release, ready to answer. Safe to use from several threads: nothing in it changes."""

    def __init__(
        self,
        *,
        release_id: str,
        languages: Sequence[str],
        classifier: Classifier | None,
        search: Search,
        writer: Writer | None,
        lookup: Lookup,
        weighing: Weighing | None = None,
        provisional: Provisional | None = None,
        actions: Actions | None = None,
        next_intents: Proposes | None = None,
        named: Finder = nothing,
        past: PastDrafting | None = None,
        heard: Heard | None = None,
        own_encoders: Collection[str] = (),
        writes: Collection[str] | None = None,
        names: Collection[str] = (),
        spelling: Spelling | None = None,
    ) -> None:
        """``own_encoders``: languages whose encoder has read nothing but the company's own texts. ``writes``: languages
        in which the generator may answer a customer where the site allows it (None: all); agents get its drafts
        anyway. ``names``: words in Latin letters that show no language (`spoken_language`). ``spelling``: of slips."""
        self.release_id = release_id
        self.languages = tuple(languages)
        self._classifier = classifier
        self._search = search
        self._writer = writer
        self._lookup = lookup
        self._weighing = weighing or Weighing()
        self._provisional = provisional
        self._actions = actions
        self._next = next_intents
        self._named = named
        self._heard = heard or Heard()
        self._own_encoders = frozenset(own_encoders)
        self._names = frozenset(names)
        self._spelling = spelling or Spelling()
        self._writes = frozenset(self.languages if writes is None else writes)
        self.past = past  # what agents said, for agents: no reply draws on it

    def reply(
        self,
        text: str,
        *,
        options: SiteOptions,
        history: Sequence[Message] = (),
        locale: str = "en",
        failures: int = 0,
        talk: Talk | None = None,
        hurried: Callable[[], bool] = lambda: False,
        for_agents: bool = False,
    ) -> tuple[Reply, Trace]:
        """The reply to ``text``.

        ``history`` holds the turns before, oldest first; ``failures`` counts the bot's last replies in a row that
        did not answer. The models read redacted text, as they were trained on it. ``talk`` is the conversation as
        actions need it; without it none is carried out. ``hurried`` is asked where a draft would be written next: while
        it says yes none is, and the trace tells. ``for_agents``: an agent asks what there is to say, so a draft is
        written wherever there is something, though it was said before or the bot answers no customer.
        """
        clock = Clock()
        written, text = tidy(text)[:READ_LIMIT], normalise(text)
        too_long = says_too_much(text) and not for_agents
        text = text[:READ_LIMIT]
        redactor = Redactor(options.redaction)
        before = [replace(m, text=redactor.redact(normalise(m.text))) for m in history[-HISTORY_TURNS:]]
        words = "" if is_payload(text) else text
        read = redactor.redact(text)
        lang = language_of(
            words,
            read if words else "",
            before,
            default=locale.split("-")[0],
            languages=self.languages,
            names=self._names,
            asked=talk is not None and talk.pending is not None and talk.pending.open,
        )
        said = lang if lang in self.languages else locale.split("-")[0]

        if talk is not None:
            text = payload_of(text, talk.offered) or text
        silent = options.mode == "drafts_only" and not for_agents
        acting = ActionTurn(self._actions, talk, text, written, redactor, said, self._named, clock)
        rest: Sequence[str] = ()
        told = "" if too_long else words
        parts = in_danger(told, read, options, lang, said, asks_for_person(told))
        if parts is None and not asks_for_others_data(told):
            parts = acting.step(read, silent=silent)
        if parts is None:
            tapped = chosen(meant_by(text, before), self._lookup, said) or (
                gone(text, said) if not words and read else None
            )
            if tapped is None and not for_agents:
                tapped = unhelped(read, before, self._lookup, said) or only_details(read, lang)
            if tapped is not None:
                parts = [left_to_people(tapped) if silent else tapped]
            else:
                mended = cache(partial(self._spelling.mended, lang=lang))  # asked by the splitting, too
                with clock("requests"):
                    wanted, since = read_anew(without_declined(read), before)
                    found = (
                        [wanted]
                        if silent or too_long
                        else self._requests(wanted, since, lang, options, mended)
                    )
                    requests, rest = found[:MAX_REQUESTS], found[MAX_REQUESTS:]
                repeats = Repeats()
                if not for_agents:
                    alike = partial(self._alike, read, lang)
                    repeats = Repeats.of(read, before, history, redactor, alike)
                around = (lang, said, options, repeats, clock, acting, hurried, for_agents, too_long, mended)
                parts = []
                for request in requests:
                    last = turns_of(parts[-1].trace.request, parts[-1].decision.chosen) if parts else ()
                    behind = [*since, *last] if leans(request) else since
                    parts.append(self._part(request, behind, *around))
            parts = acting.after(parts, spoken=bool(words))
        replies = tuple(
            say(part, lang=said, failures=failures, redactor=redactor, lookup=self._lookup) for part in parts
        )
        topics = tuple(topic_of(part.decision) for part in parts)
        asked = read if words else " ".join(c.title for part in parts if (c := part.decision.chosen))
        with clock("suggest"):
            suggested = suggest(self._next, self._lookup, talk, asked, replies, topics, said)
        trace = Trace(
            release=self.release_id,
            mode=options.mode,
            thresholds={"sureness": options.sureness, "choice_floor": options.choice_floor},
            parts=tuple(
                replace(part.trace, topic=topic, offers_person=offers_person(part))
                for part, topic in zip(parts, topics, strict=True)
            ),
            milliseconds=clock.milliseconds,
            suggested=tuple(name for name, _ in suggested),
        )
        replies, unanswered = with_the_rest(replies, rest, lang=said, redactor=redactor)
        if not for_agents:
            replies = fronted(replies, [part.trace.rule for part in parts], told, read, before, said)
        return Reply(replies, (*(title for _, title in suggested), *unanswered)), trace

    def refresh(self) -> None:
        """Take in what has changed in the knowledge since the last call."""
        self._search.refresh()
        if self._provisional is not None:
            self._provisional.refresh()

    def search(self, query: str, *, lang: str, k: int) -> Sequence[Hit]:
        """What the search finds for a question by itself, best first; no reply is made."""
        return self._search.search(query, lang=lang, history=(), k=k)

    def meanings(self, texts: Sequence[str], *, lang: str) -> NDArray[np.float32] | None:
        """Unit vectors [n, dimension] of texts; None where no general encoder knows the language: one that has read
        the company's own texts alone has no vector for other words."""
        if lang in self._own_encoders or lang not in self.languages:
            return None
        return self._search.encode(texts, lang=lang)

    @property
    def classifier(self) -> Classifier | None:
        """What understands messages here; asked again to say why it decided so."""
        return self._classifier

    @property
    def provisional(self) -> Provisional | None:
        """The intents made beside the release; asked why a message is theirs, and what a new one would take."""
        return self._provisional

    def state(self) -> dict[str, Any]:
        """What it is made of, for readiness: which models are there, and how much the index holds."""
        return {
            "languages": list(self.languages),
            "classifier": self._classifier is not None,
            "generator": self._writer is not None,
            "past_answers": self.past is not None,
            "indexed": len(self._search),
        }

    def _alike(self, text: str, lang: str, other: str) -> bool:
        """Whether two messages ask for the same, by the search's encoder."""
        one, two = (self._search.question(asked, lang=lang) for asked in (text, other))
        return float(one @ two) >= ALIKE

    def _requests(
        self,
        text: str,
        before: Sequence[Message],
        lang: str,
        options: SiteOptions,
        mended: Callable[[str], str],
    ) -> list[str]:
        if lang not in self.languages or asks_for_person(text) or agreed_to(text, before) is not None:
            return [text]

        def best_of(sentence: str, told: Sequence[Message]) -> Candidate | None:
            sentence = mended(sentence)
            classification, known, hits = self._evidence(sentence, told, lang)
            return next(iter(self._weigh(classification, known, hits, lang, sentence, told)), None)

        return split_requests(text, subjects(best_of), sure=options.sureness)

    def _evidence(
        self, request: str, before: Sequence[Message], lang: str, clock: Clock | None = None
    ) -> tuple[Classification, dict[str, KnownIntent], list[Hit]]:
        clock = clock or Clock()
        classification = Classification(ranked=(), in_scope=0.0, tier="none")
        if self._classifier is not None:
            with clock("classify"):
                classification = self._classifier.classify(request, history=before, lang=lang)
        if self._provisional is not None:
            classification = self._provisional.beside(classification, request, lang=lang)
        with clock("look up"):
            names = [guess.name for guess in classification.ranked]
            names += [topic for topic, _ in topics_before(before) if topic is not None]
            known = self._lookup.intents(names, lang)
        with clock("search"):
            hits = self._search.search(request, lang=lang, history=before, k=5)
        return titled(classification, known), known, hits

    def _weigh(
        self,
        classification: Classification,
        known: dict[str, KnownIntent],
        hits: Sequence[Hit],
        lang: str,
        request: str,
        before: Sequence[Message],
    ) -> list[Candidate]:
        near, rest = apart(classification, self._provisional.names if self._provisional else ())
        weights = self._weighing.weights(lang)
        versions = [
            self._heard.behind(
                topic,
                share,
                gather(rest, known, hits, topic, trained_on=self._weighing.articles),
                request,
                lang=lang,
                before=before,
                known=known,
                search=self._search,
            )
            for topic, share in (topics_before(before) if weights is not None else ((None, 1.0),))
        ]
        ranked = weigh(versions, in_scope=rest.in_scope, weights=weights, words=length_of(request))
        return with_provisional(ranked, near, known)

    def _part(
        self,
        request: str,
        before: Sequence[Message],
        lang: str,
        said: str,
        options: SiteOptions,
        repeats: Repeats,
        clock: Clock,
        acting: ActionTurn,
        hurried: Callable[[], bool],
        for_agents: bool,
        too_long: bool,
        mended: Callable[[str], str],
    ) -> Part:
        written, request = request, mended(request)
        readable = has_letters(request) and lang in self.languages
        readable = readable and (says_something(request) or not opens(before))
        classification = Classification(ranked=(), in_scope=0.0, tier="none")
        known: dict[str, KnownIntent] = {}
        hits: list[Hit] = []
        ranked: list[Candidate] = []
        agreed = agreed_to(request, before)
        wants_person = agreed == "person" or asks_for_person(request)
        small = None if wants_person else agreed or smalltalk_behind(request, acting.text, before)
        action: Action | None = None
        draft, left_out, footing, variant, strange = None, False, Footing(), None, None
        others_data = not too_long and asks_for_others_data(request)
        if readable and not too_long and small is None and not wants_person and not others_data:
            classification, known, hits = self._evidence(request, before, lang, clock)
            top = classification.top
            if top is not None and top.confidence * classification.in_scope >= options.sureness:
                wants_person = top.name == PERSON_INTENT and not declines_person(acting.text)
                small = top.name if top.name in SMALLTALK_INTENTS else None
            ranked = self._weigh(classification, known, hits, lang, request, before)
            named = with_the_name(request, before, self._names) if undecided(ranked, options) else None
            if named is not None:  # read again with the product that it leaves out
                again = self._evidence(named, before, lang, clock)
                better = self._weigh(*again, lang, named, before)
                spoken_of = [topic for topic, _ in topics_before(before)]
                if not undecided(better, options) and tells_more(named, better[0], spoken_of):
                    request, (classification, known, hits), ranked = named, again, better
            ranked = answerable(
                request, unsaid(ranked, before), known, self._lookup, lang=lang, floor=options.choice_floor
            )
            ranked, strange = without_other_codes(request, ranked, sure=options.sureness)
            variant, topic = variant_asked(request), topic_before(before)
            if variant is not None and topic is not None:
                ranked = of_topic(
                    topic, variant, known, self._lookup, lang=lang, in_scope=classification.in_scope
                )
            shown = ranked[0].hit if ranked else None
            if shown is not None and shown not in hits:
                hits.append(shown)  # the classifier's article: the trace holds whatever may be shown
            if small is None and not wants_person:
                action = acting.bound(ranked, known, options)
                footing = Footing(classification.in_scope, asked_before(before), proven=lang in self._writes)
            due = small is None and not wants_person and action is None
            if due and ranked and draft_due(ranked[0], options, footing, for_agents=for_agents):
                left_out = self._writer is not None and hurried()
                if not left_out:
                    scope = classification.in_scope
                    draft = self._draft(request, before, lang, ranked[0], hits, scope, clock)
        led = shown_passage(ranked[0], request, before, self._lookup, lang) if ranked else None
        if led is not None and led is not ranked[0].hit:
            ranked = [replace(ranked[0], hit=led), *ranked[1:]]
            hits = [led, *(hit for hit in hits if hit.passage_id != led.passage_id)]
        if small is not None or wants_person:
            known |= self._lookup.intents([small or PERSON_INTENT], said)
        given = action is not None and complete(action, acting.text, find=self._named)
        decision = decide(
            Evidence(
                readable=readable,
                too_long=too_long,
                others_data=others_data,
                smalltalk=small,
                asks_for_person=wants_person,
                asked_again=repeats.again,
                candidates=ranked,
                draft=draft,
                options=options,
                footing=footing,
                action="complete" if given else "bound" if action is not None else "none",
                left_out=left_out,
                for_agents=for_agents,
                sent=repeats.among(ranked, draft),
                again=self._to_say_again(request, ranked, draft, repeats, lang),
            )
        )
        general = lang not in self._own_encoders
        additions = Additions(
            request, passages_of=self._lookup.passages, encode=self._encoder(lang), lang=lang, general=general
        )
        added = additions.behind(decision, ranked, [told for _, told in repeats.sent])
        if added is not None and added.hit not in hits:
            hits.append(added.hit)
        if decision.rule == "not_known":
            asked = None if ranked else variant
            decision = said_why(decision, request, code=strange, variant=asked, lang=said)
        if small is not None or wants_person:
            own = known.get(small or PERSON_INTENT)
            if own is not None:
                chosen = Candidate(1.0, own.title, own.name, own.article_slug, own.approved, cards=own.cards)
                decision = replace(decision, chosen=chosen)
            elif small is not None:
                decision = replace(decision, chosen=Candidate(1.0, small, small))
        part = Part(
            decision,
            PartTrace(
                written,
                lang,
                classification,
                tuple(hits),
                draft,
                decision.kind,
                decision.rule,
                decision.reason,
                left_out=left_out,
                perhaps=perhaps_meant(decision, ranked),
                entities=tuple(self._named(written)),
                read_as=request if request != written else "",
                added=added.quote if added is not None else "",
            ),
            addition=added,
        )
        return acting.part(action, part) if decision.rule == "action" and action is not None else part

    def _to_say_again(
        self, request: str, ranked: Sequence[Candidate], draft: Draft | None, repeats: Repeats, lang: str
    ) -> dict[str, str]:
        return to_say_again(
            request,
            sendable(ranked, draft),
            [told for _, told in repeats.sent],
            encode=self._encoder(lang),
            lang=lang,
            general=lang not in self._own_encoders,
            restore=repeats.redactor.restore,
        )

    def _encoder(self, lang: str) -> Encode:
        return lambda texts: self._search.encode(texts, lang=lang)

    def _draft(
        self,
        request: str,
        before: Sequence[Message],
        lang: str,
        best: Candidate,
        hits: list[Hit],
        in_scope: float,
        clock: Clock,
    ) -> Draft | None:
        """What the generator would say from the passages of the best candidate, with its check."""
        if self._writer is None or best.hit is None:
            return None
        with clock("generate"):
            sources = sources_about(best, hits, self._lookup.passages, lang)
            hits += [hit for hit in sources if hit not in hits]  # the trace holds whatever was read
            history = [*before, Message("customer", request)]
            return draft(
                self._writer,
                history,
                sources,
                lang=lang,
                intent=best.intent,
                encode=self._encoder(lang),
                general=lang not in self._own_encoders,
                in_scope=in_scope,
            )
