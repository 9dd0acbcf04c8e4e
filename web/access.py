"""Who may come in: sign-in of the people who work here, their roles, one-time links, and CSRF.

- The session is a signed cookie, sent to /admin alone: the chat's API never sees it. It holds the person's id and
  their *session epoch*; raising the epoch in the database (new password, switched off) ends every open session.
- Each admin view names the least role that may use it (``requires``); one that names none is closed to everybody.
- Unsafe requests need Flask-WTF's token (a form field or the ``X-CSRFToken`` header) besides SameSite=Lax.
- Sign-in is limited by address and, against guessing from many addresses, by account; only failures count.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import wraps
from typing import Any, ParamSpec, TypeVar
from urllib.parse import urlsplit

from flask import (
    Blueprint,
    Flask,
    Response,
    abort,
    flash,
    jsonify,
    make_response,
    redirect,
    render_template,
    request,
    session,
    url_for,
)
from flask.sessions import SecureCookieSessionInterface
from flask_login import LoginManager, UserMixin, current_user, login_user, logout_user
from flask_wtf.csrf import CSRFError, CSRFProtect
from werkzeug.wrappers import Response as BaseResponse

from chatbot.errors import AccessError, FrontdeskError, LimitError
from chatbot.records import audit, people
from chatbot.records.tables import Person
from web.context import parts
from web.language import LANGUAGES, gettext
from web.limits import limiter

SESSION_HOURS = 12  # without a request
LONGEST_SESSION = 7 * 86_400  # seconds; then everybody signs in again, however busy
HALF_SECONDS = 300  # between the password and the code
HALF, BEGAN = "half", "began"  # keys in the session
ACCOUNT_RATE = "20 per hour"  # failed sign-ins for one account, from wherever
PAGES = "/admin"

blueprint = Blueprint("access", __name__, url_prefix=PAGES, template_folder="admin/templates")

P = ParamSpec("P")
R = TypeVar("R")


@dataclass(frozen=True, slots=True, eq=False)
class SignedIn(UserMixin):
    """The person behind a request."""

    id: int
    email: str
    name: str
    role: str
    locale: str | None
    epoch: int

    def get_id(self) -> str:
        return f"{self.id}:{self.epoch}"

    def may(self, role: str) -> bool:
        return people.at_least(self.role, role)


def requires(role: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Mark a view with the least role that may use it; ``guard`` holds every request against the mark."""

    def mark(view: Callable[P, R]) -> Callable[P, R]:
        @wraps(view)
        def marked(*args: P.args, **kwargs: P.kwargs) -> R:
            return view(*args, **kwargs)

        marked.required_role = people.check_role(role)  # type: ignore[attr-defined]
        return marked

    return mark


def required_role(view: Callable[..., Any] | None) -> str | None:
    return getattr(view, "required_role", None)


def guard(app: Flask) -> BaseResponse | None:
    """Before a request to a guarded blueprint: send strangers to the sign-in, refuse those without the role.

    Raises AccessError (403).
    """
    needed = required_role(app.view_functions.get(request.endpoint or ""))
    if not current_user.is_authenticated:
        if request.method == "GET" and not _wants_json():
            return redirect(url_for("access.sign_in", next=request.full_path.rstrip("?")))
        raise AccessError("You are not signed in", code="not_signed_in", status=401, remedy="Sign in first")
    if needed is None or not current_user.may(needed):
        raise AccessError(
            gettext("Your account may not do this"),
            remedy=gettext("Ask an admin for the role it needs: {role}").format(
                role=gettext(needed or "admin")
            ),
        )
    return None


def _wants_json() -> bool:
    return (
        request.accept_mimetypes.best_match(["text/html", "application/json"], "text/html")
        == "application/json"
    )


def person_id() -> int | None:
    """Who to name in the audit log."""
    return current_user.id if current_user.is_authenticated else None


class CookieSession(SecureCookieSessionInterface):
    """``Secure`` whenever the request came over https, so that plain http on one's own machine works too."""

    def get_cookie_secure(self, app: Flask) -> bool:
        return bool(request.is_secure)


def init_app(app: Flask) -> None:
    """Sessions, sign-in and CSRF for the application, and the pages of this module."""
    import web.second_step  # noqa: F401  # its views belong to this blueprint, and it needs this module first

    app.config.update(
        SESSION_COOKIE_NAME="frontdesk",
        SESSION_COOKIE_PATH=PAGES,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_REFRESH_EACH_REQUEST=True,
        PERMANENT_SESSION_LIFETIME=timedelta(hours=SESSION_HOURS),
        WTF_CSRF_TIME_LIMIT=None,  # as long as the session
        WTF_CSRF_SSL_STRICT=True,
    )
    app.session_interface = CookieSession()
    CSRFProtect(app)

    manager = LoginManager(app)
    manager.session_protection = None  # an address changes on a train; the epoch ends a session for good

    @manager.user_loader
    def load(identifier: str) -> SignedIn | None:
        number, _, epoch = identifier.partition(":")
        if time.time() - session.get(BEGAN, time.time()) > LONGEST_SESSION:
            return None
        if not (number.isdigit() and epoch.isdigit()):
            return None
        with parts().database.read() as records:
            person = records.get(Person, int(number))
        if person is None or not person.active or person.session_epoch != int(epoch):
            return None
        return _signed_in(person)

    @app.errorhandler(CSRFError)
    def forged(error: CSRFError) -> Any:
        wrong = AccessError(
            gettext("This form is no longer valid"),
            code="csrf",
            status=400,
            remedy=gettext("Load the page again and send it once more"),
        )
        return app.handle_user_exception(wrong)

    app.register_blueprint(blueprint)


def _signed_in(person: Person) -> SignedIn:
    return SignedIn(person.id, person.email, person.name, person.role, person.locale, person.session_epoch)


def start_session(person: Person) -> None:
    """Sign someone in with a session that shares nothing with the one before (no fixation)."""
    session.clear()
    session.permanent = True
    session[BEGAN] = int(time.time())
    login_user(_signed_in(person))


def let_in(person: Person, target: str) -> BaseResponse:
    """The password was right, or a one-time link good: a session, or the question for the second step."""
    if not person.totp_secret:
        start_session(person)
        return redirect(target, code=303)
    session.clear()
    session[HALF] = {"id": person.id, "epoch": person.session_epoch, "at": int(time.time())}
    return redirect(url_for("access.sign_in_code", next=target), code=303)


def half_signed_in() -> int | None:
    """Id of the person whose password was right a moment ago and whose code is still asked for."""
    half = session.get(HALF) or {}
    if time.time() - half.get("at", 0) > HALF_SECONDS:
        return None
    with parts().database.read() as records:
        person = records.get(Person, half["id"])
    fits = person is not None and person.active and person.session_epoch == half["epoch"]
    return person.id if person is not None and fits else None


def safe_next(target: str | None) -> str:
    """Where to go after the sign-in: a page of the admin area and nowhere else."""
    home = url_for("admin.home")
    if not target:
        return home
    split = urlsplit(target)
    inside = target == PAGES or target.startswith(f"{PAGES}/")
    if split.scheme or split.netloc or not inside or "\\" in target or any(ord(ch) < 32 for ch in target):
        return home
    return target


def _page(name: str, status: int = 200, **values: Any) -> Response:
    return make_response(render_template(f"access/{name}.html", **values), status)


def _account_key() -> str:
    return "account:" + request.form.get("email", "").strip().casefold()[:320]


def failed(response: Response) -> bool:
    return response.status_code >= 400


@blueprint.get("/sign-in")
def sign_in() -> BaseResponse:
    if current_user.is_authenticated:
        return redirect(safe_next(request.args.get("next")))
    with parts().database.read() as records:
        ready = people.anybody(records)
    return _page("sign_in", ready=ready, next=request.args.get("next", ""), email="")


@blueprint.post("/sign-in")
@limiter.limit(lambda: parts().settings.signin_rate, deduct_when=failed)
@limiter.limit(ACCOUNT_RATE, key_func=_account_key, deduct_when=failed)
def sign_in_now() -> BaseResponse:
    email, password = request.form.get("email", ""), request.form.get("password", "")
    with parts().database.write() as records:
        person = people.verify(records, email=email, password=password)
        audit.record(
            records,
            action=_sign_in_action(person),
            subject=email.strip().casefold()[:200],
            person_id=person.id if person else None,
            detail={"address": request.remote_addr or ""},
        )
    if person is None:
        error = gettext("This e-mail address and password do not belong together")
        return _page("sign_in", 401, ready=True, next=request.form.get("next", ""), email=email, error=error)
    return let_in(person, safe_next(request.form.get("next")))


def _sign_in_action(person: Person | None) -> str:
    if person is None:
        return "person.sign_in_failed"
    return "person.sign_in_half" if person.totp_secret else "person.sign_in"


@blueprint.post("/sign-out")
def sign_out() -> BaseResponse:
    logout_user()
    session.clear()
    return redirect(url_for("access.sign_in"), code=303)


@blueprint.get("/set-up/<token>")
@limiter.limit("30 per minute")
def set_up(token: str) -> BaseResponse:
    with parts().database.read() as records:
        link = people.open_link(records, token)
        known = people.find_person(records, link.email) if link.email else None
    response = _page("set_up", link=link, known=known, values={})
    response.headers["Referrer-Policy"] = "no-referrer"  # the address is the secret
    return response


@blueprint.post("/set-up/<token>")
@limiter.limit("30 per minute")
def set_up_now(token: str) -> BaseResponse:
    form = request.form
    with parts().database.read() as records:
        link = people.open_link(records, token)
        known = people.find_person(records, link.email) if link.email else None
    try:
        with parts().database.write() as records:
            person = people.use_link(
                records,
                token,
                email=form.get("email", ""),
                name=form.get("name", ""),
                password=form.get("password", ""),
            )
            audit.record(
                records,
                action="person.password" if known else "person.add",
                subject=person.email,
                person_id=person.id,
                detail={"role": person.role, "by": "one-time link"},
            )
    except AccessError:
        raise
    except FrontdeskError as error:
        response = _page("set_up", error.status, link=link, known=known, values=form, error=error)
        response.headers["Referrer-Policy"] = "no-referrer"
        return response
    return let_in(person, url_for("admin.home"))


@blueprint.get("/account")
def account() -> BaseResponse:
    if not current_user.is_authenticated:
        return redirect(url_for("access.sign_in", next=url_for("access.account")))
    return _account()


def _account(error: FrontdeskError | None = None) -> Response:
    with parts().database.read() as records:
        second = bool(people.get_person(records, current_user.id).totp_secret)
    return _page("account", error.status if error else 200, error=error, second_step=second)


@blueprint.post("/account")
@limiter.limit("10 per minute")
def account_change() -> BaseResponse:
    if not current_user.is_authenticated:
        abort(401)
    with parts().database.write() as records:
        person = people.verify(records, email=current_user.email, password=request.form.get("current", ""))
        if person is None:
            problem: FrontdeskError | None = AccessError(
                gettext("The present password is not right"), field="current", status=422
            )
        else:
            problem = None
            try:
                people.set_password(records, person, request.form.get("password", ""))
                audit.record(records, action="person.password", subject=person.email, person_id=person.id)
            except FrontdeskError as error:
                problem = error
    if problem is not None or person is None:
        return _account(problem or AccessError(gettext("The present password is not right"), status=422))
    start_session(person)  # every other session of this person has ended
    flash(gettext("The password is changed. You are signed out everywhere else."))
    return redirect(url_for("access.account"), code=303)


@blueprint.post("/language")
def language() -> BaseResponse:
    """Choose the language of the pages; kept with the person where one is signed in."""
    chosen = request.form.get("language", "")
    if chosen not in LANGUAGES:
        raise LimitError(
            "There is no such language", field="language", value=chosen, code="invalid_input", status=422
        )
    session["language"] = chosen
    if current_user.is_authenticated:
        with parts().database.write() as records:
            people.get_person(records, current_user.id).locale = chosen
    return redirect(safe_next(request.form.get("next")), code=303)


@blueprint.get("/session")
def session_state() -> Response:
    """Whether the session still holds; the progress page asks before it gives up."""
    return jsonify({"signed_in": bool(current_user.is_authenticated)})
