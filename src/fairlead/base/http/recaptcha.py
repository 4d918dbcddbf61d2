"""Is it a person who asks? Google's reCAPTCHA knows, where the operator has set it up."""

from __future__ import annotations

import threading

import structlog

from fairlead.base.errors import Kind, Refusal

SECONDS = 10
MOST_AT_ONCE = 8
"""Anybody may ask, and each waits in a thread that others need: a verifier that is silent must not hold all of them."""

LONGEST_RESPONSE = 16_384

log = structlog.get_logger()


class RecaptchaFailed(Refusal):
    kind = Kind.UNAUTHENTICATED
    message = "reCAPTCHA verification failed"


class RecaptchaIsAway(Refusal):
    kind = Kind.UNAVAILABLE
    message = "The reCAPTCHA response cannot be verified at the moment: please try again."


class Recaptcha:
    """Asks the verifier at the URL. Without a secret everyone counts as a person."""

    def __init__(self, secret: str, url: str) -> None:
        self._secret = secret
        self._url = url
        self._places = threading.BoundedSemaphore(MOST_AT_ONCE)

    def check(self, response: str) -> None:
        """Refuse with `RecaptchaFailed` unless this is the response of a person. It is good for one time only."""
        if not self._secret:
            return
        if not response or len(response) > LONGEST_RESPONSE:
            raise RecaptchaFailed
        if not self._places.acquire(blocking=False):
            raise RecaptchaIsAway(retry_after=SECONDS)
        try:
            is_good = self._is_good(response)
        finally:
            self._places.release()
        if not is_good:
            raise RecaptchaFailed

    def _is_good(self, response: str) -> bool:
        import httpx

        try:
            reply = httpx.post(self._url, data={"secret": self._secret, "response": response}, timeout=SECONDS)
            said = reply.raise_for_status().json()
        except (httpx.HTTPError, ValueError) as problem:
            log.warning("recaptcha.away", kind=type(problem).__name__)
            raise RecaptchaIsAway(retry_after=SECONDS) from None
        return isinstance(said, dict) and said.get("success") is True
