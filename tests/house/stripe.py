"""Stripe, as far as its published API goes that we use: a stand-in on a free port, and the browser that leaves cards.

It also answers for reCAPTCHA, at `/siteverify`: "human" is the response of a person.
"""

from __future__ import annotations

import itertools
import json
import re
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

KEY = "sk_test_of_the_tests"
RECAPTCHA_SECRET = "recaptcha-secret-of-the-tests"
GOOD, DECLINED, WITHOUT_MONEY = "tok_visa", "tok_chargeDeclined", "tok_chargeDeclinedInsufficientFunds"
EVERYTHING_IS_THERE = "nothing"
PRICES = "professional=price_pro,enterprise=price_ent"

Reply = tuple[int, dict[str, Any]]


class StandIn:
    """What Stripe knows, and what it was asked. What begins with `away` is answered with 500 and nothing else."""

    def __init__(self) -> None:
        self.customers: dict[str, dict[str, Any]] = {}
        self.intents: dict[str, dict[str, Any]] = {}
        self.methods: dict[str, dict[str, Any]] = {}
        self.subscriptions: dict[str, dict[str, Any]] = {}
        self.asked: list[str] = []
        self.keys: list[str | None] = []
        self.away = EVERYTHING_IS_THERE
        self.meanwhile: dict[str, Callable[[], object]] = {}
        """What happens once, after it was asked for this and before it answers: "POST /v1/subscriptions"."""
        self._replayed: dict[str, tuple[dict[str, str], Reply]] = {}
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()
        handler = type("Handler", (_Handler,), {"stand_in": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    def __enter__(self) -> StandIn:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def leave_card(self, secret: str, token: str = GOOD) -> str:
        """What the browser does with the secret of a setup intent; the card that is there afterwards."""
        intent = next(each for each in self.intents.values() if each["client_secret"] == secret)
        card = self._method({"card[token]": token})["id"]
        self.methods[card]["customer"] = intent["customer"]
        intent.update(status="succeeded", payment_method=card)
        return card

    def customer_of(self, tenant_id: str) -> dict[str, Any]:
        return next(each for each in self.customers.values() if each["metadata"]["tenant_id"] == tenant_id)

    def subscriptions_of(self, tenant_id: str) -> list[tuple[str, str]]:
        """Price and status of each."""
        return self.subscriptions_of_customer(self.customer_of(tenant_id)["id"])

    def subscriptions_of_customer(self, customer: str) -> list[tuple[str, str]]:
        mine = [each for each in self.subscriptions.values() if each["customer"] == customer]
        return [(each["items"]["data"][0]["price"]["id"], each["status"]) for each in mine]

    def answer(self, method: str, path: str, said: dict[str, str], headers: Any) -> Reply:
        with self._lock:
            self.asked.append(f"{method} {path}")
            if path.startswith(self.away):
                return 500, {"error": {"type": "api_error", "message": "Sorry! There was an error on our end."}}
            if path == "/siteverify":
                good = said.get("response") == "human" and said.get("secret") == RECAPTCHA_SECRET
                return 200, {"success": good, **({} if good else {"error-codes": ["invalid-input-response"]})}
            if headers.get("authorization") != f"Bearer {KEY}":
                return 401, _error("invalid_request_error", None, "Invalid API Key provided: sk_test_***")
            key = headers.get("idempotency-key")
            if method == "POST":
                self.keys.append(key)
            if key in self._replayed:
                before, reply = self._replayed[key]
                return reply if said == before else (400, _error("idempotency_error", None, "Not what it was."))
            reply = json.loads(json.dumps(self._route(method, path, said)))  # as things were when it was given
            if key and reply[0] < 500:
                self._replayed[key] = said, reply
            return reply

    def _route(self, method: str, path: str, said: dict[str, str]) -> Reply:
        for verb, pattern, act in _ROUTES:
            found = re.fullmatch(pattern, path)
            if verb == method and found:
                return act(self, *found.groups(), said)
        return 404, _error("invalid_request_error", None, f"Unrecognized request URL ({method}: {path}).")

    def _new(self, prefix: str) -> str:
        return f"{prefix}_{next(self._numbers)}"

    def _add_customer(self, said: dict[str, str]) -> Reply:
        id_ = self._new("cus")
        self.customers[id_] = {
            "id": id_,
            "object": "customer",
            "email": said.get("email"),
            "name": said.get("name"),
            "metadata": {"tenant_id": said["metadata[tenant_id]"]},
            "invoice_settings": {"default_payment_method": None},
        }
        return 200, self.customers[id_]

    def _find_customer(self, id_: str, said: dict[str, str]) -> Reply:
        if id_ not in self.customers:
            return _missing("customer", id_)
        found = json.loads(json.dumps(self.customers[id_]))
        card = found["invoice_settings"]["default_payment_method"]
        if card and "expand[0]" in said:
            found["invoice_settings"]["default_payment_method"] = self.methods[card]
        return 200, found

    def _change_customer(self, id_: str, said: dict[str, str]) -> Reply:
        card = said["invoice_settings[default_payment_method]"]
        if id_ not in self.customers or self.methods[card]["customer"] != id_:
            return _missing("customer", id_)
        self.customers[id_]["invoice_settings"]["default_payment_method"] = card
        return 200, self.customers[id_]

    def _remove_customer(self, id_: str, said: dict[str, str]) -> Reply:
        if self.customers.pop(id_, None) is None:
            return _missing("customer", id_)
        return 200, {"id": id_, "object": "customer", "deleted": True}

    def _add_intent(self, said: dict[str, str]) -> Reply:
        id_ = self._new("seti")
        self.intents[id_] = {
            "id": id_,
            "object": "setup_intent",
            "client_secret": f"{id_}_secret",
            "customer": said["customer"],
            "payment_method": None,
            "payment_method_types": ["card"],
            "status": "requires_payment_method",
            "usage": said["usage"],
        }
        return 200, self.intents[id_]

    def _find_intent(self, id_: str, said: dict[str, str]) -> Reply:
        return (200, self.intents[id_]) if id_ in self.intents else _missing("setupintent", id_)

    def _cancel_intent(self, id_: str, said: dict[str, str]) -> Reply:
        if self.intents[id_]["status"] == "succeeded":
            return 400, _error("invalid_request_error", "setup_intent_unexpected_state", "It has succeeded.")
        self.intents[id_]["status"] = "canceled"
        return 200, self.intents[id_]

    def _method(self, said: dict[str, str]) -> dict[str, Any]:
        id_ = self._new("pm")
        card = {
            "brand": "visa",
            "checks": {"address_line1_check": None, "address_postal_code_check": None, "cvc_check": "pass"},
            "country": "US",
            "exp_month": 8,
            "exp_year": 2030,
            "fingerprint": "Xt5EWLLDS7FJjR1c",
            "funding": "credit",
            "last4": "4242",
            "three_d_secure_usage": {"supported": True},
            "wallet": None,
        }
        token = said["card[token]"]
        self.methods[id_] = {
            "id": id_, "object": "payment_method", "type": "card", "card": card, "customer": None, "token": token
        }  # fmt: skip
        return self.methods[id_]

    def _add_method(self, said: dict[str, str]) -> Reply:
        if said["card[token]"] not in {GOOD, DECLINED, WITHOUT_MONEY}:
            return 400, _error("invalid_request_error", "resource_missing", f"No such token: '{said['card[token]']}'")
        return 200, self._method(said)

    def _attach(self, id_: str, said: dict[str, str]) -> Reply:
        if self.methods[id_]["token"] == DECLINED:
            return 402, _error("card_error", "card_declined", "Your card was declined.")
        self.methods[id_]["customer"] = said["customer"]
        return 200, self.methods[id_]

    def _subscribe(self, said: dict[str, str]) -> Reply:
        card = self.customers[said["customer"]]["invoice_settings"]["default_payment_method"]
        if card is None or self.methods[card]["token"] != GOOD:
            return 402, _error("card_error", "card_declined", "Your card has insufficient funds.")
        id_ = self._new("sub")
        price = {"id": said["items[0][price]"], "object": "price"}
        self.subscriptions[id_] = {
            "id": id_,
            "object": "subscription",
            "customer": said["customer"],
            "items": {"object": "list", "data": [{"id": self._new("si"), "price": price}], "has_more": False},
            "status": "active",
        }
        return 200, self.subscriptions[id_]

    def _find_subscription(self, id_: str, said: dict[str, str]) -> Reply:
        return (200, self.subscriptions[id_]) if id_ in self.subscriptions else _missing("subscription", id_)

    def _unsubscribe(self, id_: str, said: dict[str, str]) -> Reply:
        if self.subscriptions.get(id_, {}).get("status") != "active":
            return _missing("subscription", id_)
        self.subscriptions[id_]["status"] = "canceled"
        return 200, self.subscriptions[id_]


_Act = Callable[..., Reply]
_ROUTES: list[tuple[str, str, _Act]] = [
    ("POST", "/v1/customers", StandIn._add_customer),
    ("GET", r"/v1/customers/(\w+)", StandIn._find_customer),
    ("POST", r"/v1/customers/(\w+)", StandIn._change_customer),
    ("DELETE", r"/v1/customers/(\w+)", StandIn._remove_customer),
    ("POST", "/v1/setup_intents", StandIn._add_intent),
    ("GET", r"/v1/setup_intents/(\w+)", StandIn._find_intent),
    ("POST", r"/v1/setup_intents/(\w+)/cancel", StandIn._cancel_intent),
    ("POST", "/v1/payment_methods", StandIn._add_method),
    ("POST", r"/v1/payment_methods/(\w+)/attach", StandIn._attach),
    ("POST", "/v1/subscriptions", StandIn._subscribe),
    ("GET", r"/v1/subscriptions/(\w+)", StandIn._find_subscription),
    ("DELETE", r"/v1/subscriptions/(\w+)", StandIn._unsubscribe),
]


def _error(kind: str, code: str | None, message: str) -> dict[str, Any]:
    return {"error": {"type": kind, "message": message, **({"code": code} if code else {})}}


def _missing(what: str, id_: str) -> Reply:
    return 404, _error("invalid_request_error", "resource_missing", f"No such {what}: '{id_}'")


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    stand_in: StandIn

    def _answer(self) -> None:
        parts = urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("content-length") or 0)).decode()
        said = dict(parse_qsl(parts.query) + parse_qsl(body))
        status, content = self.stand_in.answer(self.command, parts.path, said, self.headers)
        self.stand_in.meanwhile.pop(f"{self.command} {parts.path}", lambda: None)()
        text = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    do_GET = do_POST = do_DELETE = _answer

    def log_message(self, *_: object) -> None:
        """Tests are told enough without it."""
