"""The search tried out: what the bot would find for a question, and what it may not quote of what would fit.

With the live release's encoders and weights where there is one; before the first release by the defaults, words alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from sqlalchemy import select

from chatbot.dialogue.trace import Hit
from chatbot.errors import InputError
from chatbot.inference.encode import ANY_LANGUAGE
from chatbot.language.normalise import detect_language
from chatbot.learning.bundles import verify
from chatbot.learning.loading import SEARCH_MODEL, load_encoders
from chatbot.learning.releases import bundle_folder, live_release_id
from chatbot.records.database import Database
from chatbot.records.passages import check_language
from chatbot.records.tables import Article, Passage, utcnow
from chatbot.retrieval import following
from chatbot.retrieval.knowledge import StoredPassage
from chatbot.retrieval.ranking import SearchModel
from chatbot.retrieval.search import Encoder, NoEncoder, Searcher
from chatbot.settings import Settings

MAX_QUESTION = 2000  # characters
HITS, MOST = 5, 50
Withheld = Literal["off", "not yet", "over"]
WHY: dict[Withheld, str] = {  # in a person's words
    "off": "Switched off",
    "not yet": "Its period has not begun",
    "over": "Its period is over",
}


@dataclass(frozen=True, slots=True)
class Trial:
    """``hits`` are what the bot finds, best first; ``withheld`` what would be among them if it were switched on and
    within its period, each with why it is not. ``dense``: whether meanings were searched beside words."""

    release: str | None
    lang: str
    dense: bool
    hits: tuple[Hit, ...]
    withheld: tuple[tuple[Hit, Withheld], ...]

    def as_json(self) -> dict[str, Any]:
        rows = [asdict(hit) | {"withheld": None} for hit in self.hits]
        rows += [asdict(hit) | {"withheld": why} for hit, why in self.withheld]
        return {"release": self.release, "lang": self.lang, "dense": self.dense, "hits": rows}


def try_search(database: Database, settings: Settings, text: str, *, lang: str = "", k: int = 5) -> Trial:
    """Search for ``text`` (``lang``: of its own language where left out); at most ``k`` articles of either kind.

    Raises InputError for an empty or too long question, a language or a ``k`` that cannot be.
    """
    text, lang = text.strip(), lang.strip().lower()
    if not text or len(text) > MAX_QUESTION:
        raise InputError(
            "The question is empty or too long",
            field="q",
            value=text[:80],
            remedy=f"Write 1 to {MAX_QUESTION} characters",
        )
    if not 1 <= k <= MOST:
        raise InputError("So many hits cannot be shown", field="k", value=k, remedy=f"Ask for 1 to {MOST}")
    lang = lang or detect_language(text)
    check_language(lang)
    release, encoders, model = _live(database, settings)
    knowledge = _Stored(database)
    searcher = Searcher.open(
        database,
        encoders,
        model=model,
        index=settings.data / "index" if release else None,
        knowledge=knowledge,
    )
    hits = searcher.search(text, lang=lang, k=k)
    knowledge.withheld = True
    with database.read() as session:
        searcher.put(following.switched_off(session))
    found = searcher.search(text, lang=lang, k=k + len(hits))
    why = knowledge.why([hit.passage_id for hit in found])
    withheld = [(hit, why[hit.passage_id]) for hit in found if hit.passage_id in why][:k]
    return Trial(
        release, lang, not isinstance(searcher.encoder(lang), NoEncoder), tuple(hits), tuple(withheld)
    )


def _live(database: Database, settings: Settings) -> tuple[str | None, dict[str, Encoder], SearchModel]:
    with database.read() as session:
        release = live_release_id(session)
    if release is None:
        return None, {ANY_LANGUAGE: NoEncoder()}, SearchModel()
    folder = bundle_folder(settings, release)
    encoders = load_encoders(folder, verify(folder).encoders, threads=settings.inference_threads)
    file = folder / SEARCH_MODEL
    return release, dict(encoders), SearchModel.load(file) if file.is_file() else SearchModel()


class _Stored(following.DatabaseKnowledge):
    """The database's passages; with ``withheld`` those, too, that may not be quoted now."""

    withheld = False

    def read(self, ids: Sequence[int]) -> dict[int, StoredPassage]:
        if not self.withheld:
            return super().read(ids)
        return {
            passage.id: StoredPassage(
                passage.id,
                article.id,
                article.slug,
                article.title,
                passage.title_path,
                article.url,
                passage.text,
                passage.lang,
            )
            for passage, article in self._rows(ids)
        }

    def why(self, ids: Sequence[int]) -> dict[int, Withheld]:
        """Of those among ``ids`` that may not be quoted: the reason."""
        found: dict[int, Withheld] = {}
        now = utcnow()
        for passage, article in self._rows(ids):
            if not passage.enabled or article.status != "live":
                found[passage.id] = "off"
            elif any(start is not None and start > now for start in (passage.valid_from, article.valid_from)):
                found[passage.id] = "not yet"
            elif any(end is not None and end <= now for end in (passage.valid_until, article.valid_until)):
                found[passage.id] = "over"
        return found

    def _rows(self, ids: Sequence[int]) -> list[tuple[Passage, Article]]:
        with self.database.read() as session:
            rows = session.execute(
                select(Passage, Article)
                .join(Article, Passage.article_id == Article.id)
                .where(Passage.id.in_(ids))
            )
            return [(passage, article) for passage, article in rows]
