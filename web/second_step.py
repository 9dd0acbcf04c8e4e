"""Pages of the second step: typing the code after the password, turning it on and off on one's own account."""

from __future__ import annotations

import time

from flask import abort, flash, make_response, redirect, render_template, request, session, url_for
from flask_login import current_user
from werkzeug.wrappers import Response as BaseResponse

from chatbot.errors import FrontdeskError
from chatbot.records import audit, people, second_step
from chatbot.records.tables import Person
from web.access import (
    ACCOUNT_RATE,
    HALF,
    blueprint,
    failed,
    half_signed_in,
    safe_next,
    start_session,
)
from web.context import parts
from web.language import gettext
from web.limits import limiter

SETTING_UP = "second_step_secret"
_FRESH = 600  # seconds a new secret waits for its first code


def _half_key() -> str:
    """The person whose password was right; failures count against the account, from wherever they come."""
    half = session.get(HALF) or {}
    return f"second:{half.get('id', request.remote_addr)}"


@blueprint.get("/sign-in/code")
def sign_in_code() -> BaseResponse:
    if half_signed_in() is None:
        return redirect(url_for("access.sign_in"))
    return make_response(render_template("access/code.html", next=request.args.get("next", "")))


@blueprint.post("/sign-in/code")
@limiter.limit(ACCOUNT_RATE, key_func=_half_key, deduct_when=failed)
def sign_in_code_now() -> BaseResponse:
    half = half_signed_in()
    if half is None:
        return redirect(url_for("access.sign_in"), code=303)
    with parts().database.write() as records:
        person = records.get(Person, half)
        right = (
            person is not None and person.active and second_step.check(person, request.form.get("code", ""))
        )
        audit.record(
            records,
            action="person.sign_in" if right else "person.sign_in_failed",
            subject=person.email if person else "",
            person_id=person.id if person and right else None,
            detail={"address": request.remote_addr or "", "step": 2},
        )
    target = request.form.get("next", "")
    if not right or person is None:
        error = gettext("This code does not work (any more)")
        return make_response(render_template("access/code.html", next=target, error=error), 401)
    start_session(person)
    return redirect(safe_next(target), code=303)


@blueprint.post("/account/second-step")
def second_step_begin() -> BaseResponse:
    """A new secret, kept in the session until its first code proves that the app has it."""
    if not current_user.is_authenticated:
        abort(401)
    session[SETTING_UP] = {"secret": second_step.new_secret(), "at": int(time.time())}
    return redirect(url_for("access.second_step_page"), code=303)


@blueprint.get("/account/second-step")
def second_step_page() -> BaseResponse:
    if not current_user.is_authenticated:
        return redirect(url_for("access.sign_in", next=url_for("access.account")))
    secret = _fresh_secret()
    if secret is None:
        return redirect(url_for("access.account"))
    return _set_up_page(secret)


def _set_up_page(secret: str, error: FrontdeskError | None = None) -> BaseResponse:
    response = make_response(
        render_template(
            "access/second_step.html",
            secret=" ".join(secret[at : at + 4] for at in range(0, len(secret), 4)),
            address=second_step.address(secret, current_user.email),
            error=error,
        ),
        error.status if error else 200,
    )
    response.headers["Cache-Control"] = "no-store"
    return response


@blueprint.post("/account/second-step/on")
@limiter.limit("20 per hour", deduct_when=failed)
def second_step_on() -> BaseResponse:
    if not current_user.is_authenticated:
        abort(401)
    secret = _fresh_secret()
    if secret is None:
        return redirect(url_for("access.account"), code=303)
    try:
        with parts().database.write() as records:
            person = people.get_person(records, current_user.id)
            codes = second_step.turn_on(person, secret, request.form.get("code", "").replace(" ", ""))
            audit.record(records, action="person.second_step_on", subject=person.email, person_id=person.id)
    except FrontdeskError as error:
        return _set_up_page(secret, error)
    start_session(person)  # every other session of this person has ended
    response = make_response(render_template("access/recovery_codes.html", codes=codes))
    response.headers["Cache-Control"] = "no-store"
    return response


@blueprint.post("/account/second-step/off")
@limiter.limit("10 per minute")
def second_step_off() -> BaseResponse:
    if not current_user.is_authenticated:
        abort(401)
    with parts().database.write() as records:
        person = people.verify(records, email=current_user.email, password=request.form.get("current", ""))
        if person is not None:
            second_step.turn_off(person)
            audit.record(records, action="person.second_step_off", subject=person.email, person_id=person.id)
    if person is None:
        flash(gettext("The present password is not right"))
        return redirect(url_for("access.account"), code=303)
    start_session(person)
    flash(gettext("Your sign-in asks for the password alone again."))
    return redirect(url_for("access.account"), code=303)


def _fresh_secret() -> str | None:
    waiting = session.get(SETTING_UP) or {}
    if time.time() - waiting.get("at", 0) > _FRESH:
        return None
    return str(waiting["secret"])
