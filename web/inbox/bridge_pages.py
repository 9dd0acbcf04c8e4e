"""The Chatwoot bridges: connecting an account, switching a bridge off, deleting it."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from chatbot.errors import FrontdeskError, InputError
from chatbot.outbound import allowed_entries, check_url
from chatbot.records import audit, bridges
from chatbot.records.conversations import DEFAULT_SITE, find_site
from chatbot.records.sites import list_sites
from web.access import person_id, requires
from web.context import parts
from web.inbox.blueprint import blueprint
from web.language import gettext
from web.numbers import whole


@blueprint.get("/chatwoot")
@requires("admin")
def chatwoot() -> str:
    return _page()


def _page(*, address: str = "", error: FrontdeskError | None = None) -> str:
    with parts().database.read() as records:
        rows = bridges.list_bridges(records)
        sites = {site.id: site for site in list_sites(records)}
    return render_template(
        "inbox/chatwoot.html", rows=rows, sites=sites, address=address, error=error, form=request.form
    )


@blueprint.post("/chatwoot")
@requires("admin")
def add_bridge() -> str | tuple[str, int]:
    form = request.form
    try:
        base_url = check_url(
            form.get("base_url", ""), allow=allowed_entries(parts().settings.outbound_private)
        )
        account_id = whole(form.get("account_id", ""))
        if account_id is None:
            raise InputError(
                "Not an account's number",
                field="account_id",
                value=form.get("account_id"),
                remedy="It stands in Chatwoot's address: /app/accounts/1/…",
            )
        with parts().database.write() as records:
            bridge, key = bridges.add_bridge(
                records,
                site_id=find_site(records, form.get("site") or DEFAULT_SITE).id,
                base_url=base_url,
                account_id=account_id,
                access_token=form.get("access_token", ""),
                signing_secret=form.get("signing_secret", ""),
            )
            audit.record(
                records,
                action="bridge.add",
                subject=f"chatwoot bridge {bridge.id}",
                person_id=person_id(),
                detail={"base_url": bridge.base_url, "account": bridge.account_id},
            )
    except FrontdeskError as error:
        return _page(error=error), error.status
    origin = parts().settings.public_url.rstrip("/")
    address = url_for("chatwoot.heard", key=key, _external=not origin)
    return _page(address=origin + address)


@blueprint.post("/chatwoot/<int:bridge_id>/active")
@requires("admin")
def switch_bridge(bridge_id: int) -> BaseResponse:
    active = request.form.get("active") == "yes"
    with parts().database.write() as records:
        bridges.get_bridge(records, bridge_id).active = active
        audit.record(
            records,
            action="bridge.on" if active else "bridge.off",
            subject=f"chatwoot bridge {bridge_id}",
            person_id=person_id(),
        )
    return redirect(url_for("inbox.chatwoot"), code=303)


@blueprint.post("/chatwoot/<int:bridge_id>/delete")
@requires("admin")
def delete_bridge(bridge_id: int) -> BaseResponse:
    with parts().database.write() as records:
        bridge = bridges.get_bridge(records, bridge_id)
        audit.record(
            records,
            action="bridge.delete",
            subject=f"chatwoot bridge {bridge_id}",
            person_id=person_id(),
            detail={"base_url": bridge.base_url},
        )
        records.delete(bridge)
    flash(gettext("Deleted."))
    return redirect(url_for("inbox.chatwoot"), code=303)
