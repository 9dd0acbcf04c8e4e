"""When people are there and what happens when they are not; webhooks and what became of their deliveries."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any
from zoneinfo import available_timezones

from flask import flash, redirect, render_template, request, url_for
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response as BaseResponse

from chatbot.dialogue.hours import DAYS, Hours, in_words, is_open, opens_at, read_date, read_shifts, time_zone
from chatbot.dialogue.options import SiteOptions
from chatbot.errors import FrontdeskError, InputError
from chatbot.outbound import allowed_entries, check_url
from chatbot.records import audit, deliveries
from chatbot.records.tables import utcnow
from web.access import person_id, requires
from web.admin.sites import argument, asked_site
from web.context import parts
from web.inbox.blueprint import blueprint
from web.inbox.pages import mail_state
from web.language import gettext, page_language

DAY_NAMES = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
DELIVERIES = 30  # of a page
MOST_DATES = 200


@blueprint.get("/hours")
@requires("admin")
def hours() -> str:
    return _hours()


def _hours(form: MultiDict[str, str] | None = None, error: FrontdeskError | None = None) -> str:
    with parts().database.read() as records:
        site = asked_site(records)
        options = SiteOptions.from_json(site.options)
    set_hours = options.opening_hours
    now = utcnow()
    opening = opens_at(set_hours, now) if set_hours and not is_open(set_hours, now) else None
    return render_template(
        "inbox/hours.html",
        site=site,
        options=options,
        values=form or _as_form(options),
        days=list(zip(DAYS, DAY_NAMES, strict=True)),
        zones=sorted(available_timezones()),
        open_now=is_open(set_hours, now),
        opening=in_words(opening, set_hours, now=now, lang=page_language()) if opening and set_hours else "",
        mail=mail_state(),
        error=error,
    )


def _as_form(options: SiteOptions) -> MultiDict[str, str]:
    found = options.opening_hours
    stored = found or Hours()
    values = MultiDict(
        {
            "always": "" if found else "yes",
            "zone": stored.zone,
            "unanswered_minutes": str(options.unanswered_minutes),
            "idle_hours": str(options.idle_hours),
            "hide_closed": "yes" if options.hide_closed else "",
            "dates": "\n".join(
                f"{day.isoformat()} {', '.join(str(shift) for shift in shifts)}".strip()
                for day, shifts in sorted(stored.dates.items())
            ),
        }
    )
    for name, shifts in zip(DAYS, stored.week, strict=True):
        values[f"day_{name}"] = ", ".join(str(shift) for shift in shifts)
    return values


@blueprint.post("/hours")
@requires("admin")
def change_hours() -> BaseResponse | tuple[str, int]:
    form = request.form
    try:
        with parts().database.write() as records:
            site = asked_site(records)
            before = SiteOptions.from_json(site.options)
            after = replace(
                before,
                hours={} if form.get("always") == "yes" else read_hours(form).as_json(),
                unanswered_minutes=_whole(form, "unanswered_minutes"),
                idle_hours=_whole(form, "idle_hours"),
                hide_closed=form.get("hide_closed") == "yes",
            )
            changed = {k: v for k, v in asdict(after).items() if asdict(before)[k] != v}
            site.options = dict(site.options) | asdict(after)
            if changed:
                audit.record(
                    records,
                    action="site.hours",
                    subject=f"site {site.key}",
                    person_id=person_id(),
                    detail=changed,
                )
    except FrontdeskError as error:
        return _hours(form, error), error.status
    flash(gettext("Saved."))
    return redirect(url_for("inbox.hours", site=argument(site)), code=303)


def read_hours(form: MultiDict[str, str]) -> Hours:
    """The hours that a form asks for: a line of shifts a day, and dates one a line ("2026-12-24 9-12").

    Raises InputError for a value that cannot be, and where no day has a shift.
    """
    time_zone(form.get("zone", ""))
    week = tuple(read_shifts(form.get(f"day_{name}", "")) for name in DAYS)
    dates = {}
    for line in form.get("dates", "").splitlines():
        if line.strip():
            day, _, shifts = line.strip().partition(" ")
            dates[read_date(day)] = read_shifts(shifts)
    if len(dates) > MOST_DATES:
        raise InputError(
            "Too many dates", field="dates", value=len(dates), remedy="Leave out those that are past"
        )
    if not any(week):
        raise InputError(
            "No day has opening hours",
            field="hours",
            remedy="Write 09:00-17:00 for one day at least, or choose that somebody is always there",
        )
    return Hours(form.get("zone", ""), week, dates)


def _whole(form: MultiDict[str, str], name: str) -> int:
    try:
        return int(form.get(name, ""))
    except ValueError as error:
        raise InputError(
            "Not a number", field=name, value=form.get(name), remedy="Give a whole number; 0: never"
        ) from error


# --- webhooks --------------------------------------------------------------------------------------------


@blueprint.get("/webhooks")
@requires("admin")
def webhooks() -> str:
    return _webhooks()


def _webhooks(
    *, secret: str = "", error: FrontdeskError | None = None, edit: int | None = None, **values: Any
) -> str:
    before = request.args.get("before", type=int)
    edit = edit or request.args.get("edit", type=int)
    with parts().database.read() as records:
        hooks = deliveries.list_webhooks(records)
        editing = deliveries.get_webhook(records, edit) if edit else None
        recent = deliveries.recent(records, before=before, limit=DELIVERIES + 1)
    return render_template(
        "inbox/webhooks.html",
        hooks=hooks,
        recent=recent[:DELIVERIES],
        before=before,
        older=recent[DELIVERIES - 1].id if len(recent) > DELIVERIES else None,
        events=deliveries.EVENTS,
        editing=editing,
        secret=secret,
        error=error,
        **values,
    )


@blueprint.post("/webhooks")
@requires("admin")
def add_webhook() -> str | tuple[str, int]:
    form = request.form
    try:
        url = checked_url(form.get("url", ""))
        with parts().database.write() as records:
            hook = deliveries.add_webhook(records, url=url, events=form.getlist("events"))
            audit.record(
                records,
                action="webhook.add",
                subject=f"webhook {hook.id}",
                person_id=person_id(),
                detail={"url": url, "events": hook.events},
            )
    except FrontdeskError as error:
        return _webhooks(error=error, url=form.get("url", ""), chosen=form.getlist("events")), error.status
    return _webhooks(secret=hook.secret)


def checked_url(url: str) -> str:
    """The address, where the guard lets it be asked. Raises InputError."""
    return check_url(url, allow=allowed_entries(parts().settings.outbound_private))


@blueprint.post("/webhooks/<int:webhook_id>")
@requires("admin")
def change_webhook(webhook_id: int) -> BaseResponse | tuple[str, int]:
    url, events = request.form.get("url", ""), request.form.getlist("events")
    try:
        checked = checked_url(url)  # looks the name up: not while others wait to write
        with parts().database.write() as records:
            hook = deliveries.get_webhook(records, webhook_id)
            changed = deliveries.change_webhook(hook, url=checked, events=events)
            if changed:
                audit.record(
                    records,
                    action="webhook.change",
                    subject=f"webhook {webhook_id}",
                    person_id=person_id(),
                    detail=changed,
                )
    except InputError as error:
        return _webhooks(error=error, edit=webhook_id, url=url, chosen=events), error.status
    flash(gettext("Saved."))
    return redirect(url_for("inbox.webhooks"), code=303)


@blueprint.post("/webhooks/<int:webhook_id>/test")
@requires("admin")
def send_test_event(webhook_id: int) -> BaseResponse:
    with parts().database.write() as records:
        deliveries.send_test(records, deliveries.get_webhook(records, webhook_id))
    flash(gettext("A test is on its way: below is what became of it."))
    return redirect(url_for("inbox.webhooks"), code=303)


@blueprint.post("/webhooks/<int:webhook_id>/active")
@requires("admin")
def switch_webhook(webhook_id: int) -> BaseResponse:
    active = request.form.get("active") == "yes"
    with parts().database.write() as records:
        hook = deliveries.get_webhook(records, webhook_id)
        hook.active = active
        audit.record(
            records,
            action="webhook.on" if active else "webhook.off",
            subject=f"webhook {webhook_id}",
            person_id=person_id(),
        )
    return redirect(url_for("inbox.webhooks"), code=303)


@blueprint.post("/webhooks/<int:webhook_id>/delete")
@requires("admin")
def delete_webhook(webhook_id: int) -> BaseResponse:
    with parts().database.write() as records:
        hook = deliveries.get_webhook(records, webhook_id)
        audit.record(
            records,
            action="webhook.delete",
            subject=f"webhook {webhook_id}",
            person_id=person_id(),
            detail={"url": hook.url},
        )
        records.delete(hook)
    flash(gettext("Deleted."))
    return redirect(url_for("inbox.webhooks"), code=303)


@blueprint.post("/deliveries/<int:delivery_id>/again")
@requires("admin")
def try_again(delivery_id: int) -> BaseResponse:
    with parts().database.write() as records:
        deliveries.try_again(records, delivery_id)
    flash(gettext("It is sent once more within moments."))
    return redirect(url_for("inbox.webhooks"), code=303)
