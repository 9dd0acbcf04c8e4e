"""The overview's figures for programs, with an API key."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from flask import Response, jsonify, make_response
from flask_openapi3 import APIBlueprint, Tag
from pydantic import BaseModel, Field, StringConstraints

from chatbot.dialogue.options import SiteOptions
from chatbot.records.conversations import DEFAULT_SITE, find_site
from chatbot.records.statistics import Period, statistics
from chatbot.records.tables import utcnow
from web.admin.dashboard import as_json
from web.api.guards import request_rate
from web.api.keys import KEY, key_rate_key, require_key
from web.api.models import ErrorAnswer
from web.context import parts
from web.limits import limiter

api = APIBlueprint(
    "statistics",
    __name__,
    url_prefix="/api/v1",
    abp_tags=[Tag(name="reading", description="For programs, with an API key.")],
    abp_responses=dict.fromkeys((401, 403, 404, 422, 429), ErrorAnswer),
)
limiter.limit(request_rate, key_func=key_rate_key)(api)


class StatisticsQuery(BaseModel):
    days: Literal["7", "30", "90"] = Field("30", description="Whole days, the last one today.")
    lang: Annotated[str, StringConstraints(max_length=16)] | None = Field(
        None, description="Left out: all languages."
    )
    site: Annotated[str, StringConstraints(max_length=64)] | None = Field(
        None, description="A site's key. Left out: all sites together."
    )


class StatisticsAnswer(BaseModel):
    days: int
    language: str | None
    site: str | None
    total: dict[str, Any] = Field(
        description="`confirmed`: solved by the bot, and somebody said so; `assumed`: nobody said so."
    )
    by_day: list[dict[str, Any]]
    replies_by_kind: dict[str, int]
    messages_by_language: dict[str, int]
    messages_by_weekday_and_hour: list[list[int]] = Field(description="Monday first, 24 hours each.")
    topics: list[dict[str, Any]]
    surging: list[str] = Field(
        description="Topics that displeased more in the last 7 days than in the 7 before, by more than chance. "
        "`days` does not change them."
    )
    savings: dict[str, float]


@api.get("/statistics", responses={200: StatisticsAnswer}, security=KEY, summary="Read the bot's figures")
def read(query: StatisticsQuery) -> Response:
    """What the overview of the admin area shows, by day. Scope `statistics:read`."""
    require_key("statistics:read")
    with parts().database.read() as session:
        site = find_site(session, query.site) if query.site else None
        found = statistics(session, Period(int(query.days), utcnow()), lang=query.lang, site=site)
        options = SiteOptions.from_json((site or find_site(session, DEFAULT_SITE)).options)
    savings = found.savings(minutes=options.saved_minutes, hour_cost=options.hour_cost)
    return make_response(jsonify(as_json(found, savings)))
