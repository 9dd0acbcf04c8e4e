"""People: inviting, roles, switching off, links to set a new password. The link is shown once, to be sent by hand."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from chatbot.errors import ConflictError, FrontdeskError
from chatbot.records import audit
from chatbot.records import people as library
from web.access import person_id, requires
from web.admin.blueprint import blueprint
from web.context import parts
from web.language import gettext


def _list(*, link: str = "", link_for: str = "", error: FrontdeskError | None = None) -> str:
    with parts().database.read() as records:
        found = library.list_people(records)
        links = library.open_links(records)
    return render_template(
        "admin/people.html",
        people=found,
        known={person.email for person in found},
        links=links,
        roles=library.ROLES,
        link=link,
        link_for=link_for,
        error=error,
    )


@blueprint.get("/people")
@requires("admin")
def people() -> str:
    return _list()


@blueprint.post("/people")
@requires("admin")
def invite() -> str | tuple[str, int]:
    email, role = request.form.get("email", ""), request.form.get("role", "")
    try:
        with parts().database.write() as records:
            if library.find_person(records, email) is not None:
                raise ConflictError(
                    gettext("Somebody with this e-mail address is here already"), field="email", value=email
                )
            token = library.create_link(records, role=role, email=library.fold_email(email))
            audit.record(
                records,
                action="person.invite",
                subject=library.fold_email(email),
                person_id=person_id(),
                detail={"role": role},
            )
    except FrontdeskError as error:
        return _list(error=error), error.status
    return _list(link=_set_up_address(token), link_for=email)


@blueprint.post("/people/<int:who>/link")
@requires("admin")
def new_password_link(who: int) -> str:
    with parts().database.write() as records:
        person = library.get_person(records, who)
        token = library.create_link(records, role=person.role, email=person.email)
        audit.record(records, action="person.link", subject=person.email, person_id=person_id())
    return _list(link=_set_up_address(token), link_for=person.email)


@blueprint.post("/people/links/<int:link_id>/withdraw")
@requires("admin")
def withdraw_link(link_id: int) -> BaseResponse:
    with parts().database.write() as records:
        email = library.withdraw_link(records, link_id)
        audit.record(records, action="person.link_off", subject=email, person_id=person_id())
    flash(gettext("The link does not work any more."))
    return redirect(url_for("admin.people"), code=303)


def _set_up_address(token: str) -> str:
    return url_for("access.set_up", token=token, _external=True)


@blueprint.post("/people/<int:who>/role")
@requires("admin")
def change_role(who: int) -> BaseResponse:
    with parts().database.write() as records:
        person = library.get_person(records, who)
        before = person.role
        library.set_role(records, person, request.form.get("role", ""))
        audit.record(
            records,
            action="person.role",
            subject=person.email,
            person_id=person_id(),
            detail={"from": before, "to": person.role},
        )
    flash(gettext("The role is changed."))
    return redirect(url_for("admin.people"), code=303)


@blueprint.post("/people/<int:who>/active")
@requires("admin")
def change_active(who: int) -> BaseResponse:
    active = request.form.get("active") == "yes"
    with parts().database.write() as records:
        person = library.get_person(records, who)
        library.set_active(records, person, active)
        audit.record(
            records,
            action="person.on" if active else "person.off",
            subject=person.email,
            person_id=person_id(),
        )
    flash(gettext("The account is switched on.") if active else gettext("The account is switched off."))
    return redirect(url_for("admin.people"), code=303)
