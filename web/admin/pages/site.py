"""The sites: what the bot may say there, how sure it must be, where the widget may stand; adding and deleting one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response as BaseResponse

from chatbot.dialogue.danger_texts import DANGER_TEXTS, LONGEST
from chatbot.dialogue.options import MODES, SiteOptions
from chatbot.errors import FrontdeskError, InputError
from chatbot.learning import sureness
from chatbot.learning.releases import live_release_id
from chatbot.learning.writing import WRITING
from chatbot.records import audit
from chatbot.records import sites as library
from chatbot.records.tables import Release
from web.access import person_id, requires
from web.admin.blueprint import blueprint
from web.admin.sites import argument, asked_site
from web.context import parts
from web.language import LANGUAGES, gettext
from web.sentences import in_words
from web.visitors import clean_origin


@blueprint.get("/site")
@requires("admin")
def site() -> str:
    return _page()


def _page(form: MultiDict[str, str] | None = None, error: FrontdeskError | None = None) -> str:
    with parts().database.read() as records:
        found, live = asked_site(records), live_release_id(records)
        release = records.get(Release, live) if live is not None else None
        metrics = release.metrics if release is not None else {}
        counts = sureness.kept(metrics)
    options, form = SiteOptions.from_json(found.options), form or MultiDict()
    return render_template(
        "admin/site.html",
        site=found,
        here=argument(found),
        live=live,
        counted=bool(counts),
        costs=told_costs(counts, form.get("sureness", options.sureness, type=float)),
        writing=told_writing(metrics, live) if live is not None else [],
        options=options,
        modes=MODES,
        danger_texts=DANGER_TEXTS,
        danger_longest=LONGEST,
        languages=LANGUAGES,
        form=form,
        error=error,
    )


@dataclass(frozen=True, slots=True)
class ToldCost:
    """What the setting costs: the shares answered and, of these, wrong, ``now`` and ``at`` each setting in percent.
    ``language``: its name; empty: of all together."""

    language: str
    questions: int
    now: tuple[str, str]
    at: dict[int, tuple[str, str]]


def told_costs(counts: Mapping[str, Any], chosen: float) -> list[ToldCost]:
    """Of all languages and, where there are several, of each; none where the release does not know it."""
    spoken = sureness.languages(counts)
    told = []
    for lang in (sureness.EVERY, *(spoken if len(spoken) > 1 else ())):
        costs = sureness.costs(counts, lang=lang)
        if costs:
            told.append(
                ToldCost(
                    "" if lang == sureness.EVERY else LANGUAGES.get(lang, lang),
                    costs[0][1].questions,
                    _figures(sureness.cost_at(costs, chosen)),
                    {percent: _figures(cost) for percent, cost in costs},
                )
            )
    return told


def told_writing(metrics: Mapping[str, Any], release: str) -> list[str]:
    """Whether the release's generator may answer by itself, and why not, in each language (page's language)."""
    measured = metrics.get(WRITING)
    if not measured:
        told = (
            "Release {release} learned no sentences of its own."
            if measured is not None
            else "Whether release {release} writes well enough was not measured. The next release will say it."
        )
        return [gettext(told).format(release=release)]
    return [
        gettext(
            "Release {release} may send sentences of its own in {language}: {reason}."
            if found["passed"]
            else "Release {release} sends no sentences of its own in {language} yet: {reason}."
        ).format(release=release, language=LANGUAGES.get(lang, lang), reason=in_words(found["reason"]))
        for lang, found in measured.items()
    ]


def _figures(cost: sureness.Cost) -> tuple[str, str]:
    return f"{cost.answered:.0f}", f"{cost.wrong:.1f}"


@blueprint.post("/site")
@requires("admin")
def change_site() -> BaseResponse | tuple[str, int]:
    form = request.form
    try:
        with parts().database.write() as records:
            found = asked_site(records)
            before = SiteOptions.from_json(found.options)
            after = read_options(form, before)
            origins = read_origins(form.get("origins", ""))
            changed = {key: value for key, value in asdict(after).items() if asdict(before)[key] != value} | (
                {"allowed_origins": origins} if origins != list(found.allowed_origins) else {}
            )
            found.options = dict(found.options) | asdict(after)
            found.allowed_origins = origins
            found.name = form.get("name", "").strip()[:200] or found.name
            if changed:
                audit.record(
                    records,
                    action="site.change",
                    subject=f"site {found.key}",
                    person_id=person_id(),
                    detail=changed,
                )
    except FrontdeskError as error:
        return _page(form, error), error.status
    flash(gettext("Saved. The next message is answered by these settings."))
    return redirect(url_for("admin.site", site=argument(found)), code=303)


@blueprint.post("/site/add")
@requires("admin")
def add_site() -> BaseResponse | tuple[str, int]:
    """A further website; it begins with the settings of the first one."""
    form = request.form
    try:
        with parts().database.write() as records:
            made = library.add_site(
                records, key=form.get("key", ""), name=form.get("name", ""), like=asked_site(records)
            )
            audit.record(records, action="site.add", subject=f"site {made.key}", person_id=person_id())
    except FrontdeskError as error:
        return _page(form, error), error.status
    flash(gettext("The site is there. Say where its widget may stand."))
    return redirect(url_for("admin.site", site=argument(made)), code=303)


@blueprint.post("/site/<key>/delete")
@requires("admin")
def delete_site(key: str) -> BaseResponse:
    with parts().database.write() as records:
        gone = library.delete_site(records, key)
        audit.record(
            records,
            action="site.delete",
            subject=f"site {gone.key}",
            person_id=person_id(),
            detail={"name": gone.name, "options": gone.options, "allowed_origins": gone.allowed_origins},
        )
    flash(gettext("Deleted."))
    return redirect(url_for("admin.site"), code=303)


def read_options(form: MultiDict[str, str], before: SiteOptions) -> SiteOptions:
    """The options that a form asks for. Raises InputError for a value that cannot be."""
    try:
        asked = float(form.get("sureness", before.sureness))
        choice_floor = float(form.get("choice_floor", before.choice_floor))
    except ValueError as error:
        raise InputError(
            "Not a number", field="sureness", value=form.get("sureness"), remedy="Give a number from 0 to 1"
        ) from error
    work: dict[str, Any] = {}
    for name in ("saved_minutes", "hour_cost"):
        given = form.get(name, "").strip() or str(getattr(before, name))
        try:
            work[name] = float(given)
        except ValueError as error:
            raise InputError(
                "Not a number", field=name, value=given[:20], remedy="Give a number, for example 6 or 7.5"
            ) from error
    return replace(
        before,
        mode=form.get("mode", before.mode),  # type: ignore[arg-type]  # SiteOptions checks it
        sureness=asked,
        choice_floor=min(choice_floor, asked),
        danger=switch[-1] == "on" if (switch := form.getlist("danger")) else before.danger,
        danger_texts=read_danger_texts(form, before.danger_texts),
        **work,
    )


def read_danger_texts(
    form: MultiDict[str, str], before: Mapping[str, Mapping[str, str]]
) -> dict[str, dict[str, str]]:
    """The texts of the site's own; one that is empty, or as it is without being set, is left to the default."""
    own: dict[str, dict[str, str]] = {}
    for lang, texts in DANGER_TEXTS.items():
        for kind, default in texts.items():
            text = form.get(f"danger_{kind}_{lang}", before.get(lang, {}).get(kind, "")).strip()
            if text and text != default:
                own.setdefault(lang, {})[kind] = text
    return own


def read_origins(text: str) -> list[str]:
    """Allowed origins, one a line, each once. Raises InputError for what is none."""
    return list(dict.fromkeys(clean_origin(line) for line in text.split()))
