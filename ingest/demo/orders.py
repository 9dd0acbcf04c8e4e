"""The demo company's order system: a made-up service on this machine alone, so that the demo's actions have somebody to
ask. ``frontdesk demo`` starts it (``python -m ingest.demo.orders``) and binds it to the intent ``order_status``.

It answers as any company's service would (docs/actions.md): it checks the signature, remembers idempotency keys, and
answers 404 for an order that does not exist and 403 where the proof does not fit.
"""

from __future__ import annotations

import logging
import os
import re
from collections import OrderedDict
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from flask import Flask, Response, jsonify, make_response, request
from werkzeug.serving import WSGIRequestHandler, make_server

from chatbot.errors import AccessError
from chatbot.signatures import HEADER, check_signature

ADDRESS_VARIABLE, SECRET_VARIABLE = "FRONTDESK_DEMO_ORDERS", "FRONTDESK_DEMO_ORDERS_SECRET"
_REMEMBERED = 1_000  # idempotency keys
_DAYS = {
    "en": ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
    "zh": ("周一", "周二", "周三", "周四", "周五", "周六", "周日"),
}
_MONTHS = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]


@dataclass(frozen=True, slots=True)
class Order:
    """``dispatched`` and ``delivered`` in days from today."""

    number: str
    status: str
    dispatched: int
    delivered: int
    email: str
    postcode: str
    carrier: str = "Heron Parcel"


ORDERS = (
    Order("KC-204817", "out_for_delivery", -2, 0, "mila@example.com", "3011 AB"),
    Order("KC-204818", "packing", 0, 2, "jonas@example.com", "10115"),
    Order("KC-204822", "received", 1, 3, "wei@example.com", "2000"),
    Order("KC-204830", "dispatched", -1, 2, "anna@example.com", "1012 JS"),
    Order("KC-204841", "delivered", -5, -2, "paul@example.com", "50667"),
    Order("KC-204856", "dispatched", -3, 4, "li.na@example.com", "200001", carrier="Swiftline"),
    Order("KC-204863", "cancelled", 0, 0, "sara@example.com", "9000"),
    Order("KC-310024", "received", 1, 4, "tom@example.com", "SW1A 1AA", carrier="Swiftline"),
    Order("KC-310031", "delivered", -9, -6, "chen@example.com", "3011 CD"),
)


def create_app(*, secret: str, today: date | None = None) -> Flask:
    """The service. ``secret`` signs what may ask it; ``today`` stands still for tests."""
    app = Flask("orders")
    orders = {order.number.replace("-", ""): order for order in ORDERS}
    addresses: dict[str, str] = {}
    answered: OrderedDict[str, Response] = OrderedDict()

    @app.before_request
    def once_and_signed() -> Response | None:
        try:
            check_signature(secret, request.headers.get(HEADER), request.get_data(), now=datetime.now(UTC))
        except AccessError as error:
            return make_response(jsonify({"error": error.message}), 401)
        return answered.get(request.headers.get("Idempotency-Key", ""))

    @app.after_request
    def remember(response: Response) -> Response:
        key = request.headers.get("Idempotency-Key", "")
        if key and response.status_code == 200:
            answered[key] = response
            if len(answered) > _REMEMBERED:
                answered.popitem(last=False)
        return response

    def asked_for() -> tuple[Order | None, dict[str, Any]]:
        body = request.get_json(silent=True) or {}
        number = re.sub(r"[^A-Z0-9]", "", str(body.get("slots", {}).get("order", "")).upper())
        return orders.get(number) or orders.get(f"KC{number}"), body

    @app.post("/orders/status")
    def status() -> Response | tuple[Response, int]:
        order, body = asked_for()
        if order is None:
            return jsonify({"error": "no such order"}), 404
        lang = "zh" if body.get("lang") == "zh" else "en"
        day = today or datetime.now(UTC).date()
        return jsonify(
            {
                "number": order.number,
                "status": order.status,
                "carrier": order.carrier,
                "dispatched": day_in_words(_carried(day, order.dispatched), lang),
                "delivery": day_in_words(_carried(day, order.delivered), lang),
            }
        )

    @app.post("/orders/address")
    def address() -> Response | tuple[Response, int]:
        order, body = asked_for()
        if order is None:
            return jsonify({"error": "no such order"}), 404
        proof = body.get("proof", {})
        fits = proof.get("email", "").lower() == order.email or _plain(proof.get("postcode", "")) == _plain(
            order.postcode
        )
        if not fits:
            return jsonify({"error": "the proof does not fit"}), 403
        changed = order.status == "received"  # as the article on it says
        if changed:
            addresses[order.number] = str(body.get("slots", {}).get("address", ""))
        return jsonify(
            {
                "verified": True,
                "number": order.number,
                "status": order.status,
                "changed": changed,
                "address": addresses.get(order.number, ""),
            }
        )

    return app


def _carried(today: date, days: int) -> date:
    """So many days from today, or where that is a Sunday, on which no parcel moves, the day before or behind it."""
    day = today + timedelta(days=days)
    return day + timedelta(days=-1 if days < 0 else 1) if day.weekday() == 6 and days else day


def day_in_words(day: date, lang: str) -> str:
    """``Monday 30 November`` or ``11月30日（周一）``."""
    name = _DAYS[lang][day.weekday()]
    return (
        f"{day.month}月{day.day}日（{name}）"
        if lang == "zh"
        else f"{name} {day.day} {_MONTHS[day.month - 1]}"
    )


def _plain(postcode: str) -> str:
    return re.sub(r"[^a-z0-9]", "", postcode.lower())


class _Silent(WSGIRequestHandler):
    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        pass


def main() -> None:
    """Serve where FRONTDESK_DEMO_ORDERS says, on this machine's own address alone."""
    address = urlsplit(os.environ[ADDRESS_VARIABLE])
    app = create_app(secret=os.environ[SECRET_VARIABLE])
    server = make_server("127.0.0.1", address.port or 0, app, threaded=True, request_handler=_Silent)
    logging.getLogger(__name__).info("the demo's orders are at %s", address.netloc)
    server.serve_forever()


if __name__ == "__main__":
    main()
