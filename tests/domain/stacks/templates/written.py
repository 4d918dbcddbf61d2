"""Small templates, and what is said of them."""

from __future__ import annotations

import json
from typing import Any

from fairlead.domain.stacks.templates import BadTemplate, Limits, Template, read

AWS = {"aws": {"cred": "key-of-acme", "region": "ap-northeast-1"}}
VENDORS: dict[str, dict[str, Any]] = {
    "aws": AWS,
    "alicloud": {"alicloud": {"cred": "acme", "region": "ap-northeast-1"}},
    "azure": {"azure": {"cred": "acme", "region": "JapanEast"}},
    "gcp": {"gcp": {"cred": "acme", "region": "asia-northeast1", "project_id": "acme-1"}},
    "k5": {"k5": {"cred": "acme", "region": "jp-east-1"}},
    "local": {"local": {}},
}


def layer(flag: str = "Web01", /, container: Any = None, role: str = "web", **provision: Any) -> dict[str, Any]:
    written: dict[str, Any] = {"role": role, "flag": flag, "provision": provision}
    return written if container is None else written | {"container": container}


def written(*layers: Any, vendor: Any = AWS, **top: Any) -> dict[str, Any]:
    return {"version": "2017-03-03", "vendor": vendor, "configurations": list(layers) or [layer()]} | top


def template(*layers: Any, vendor: Any = AWS, **top: Any) -> Template:
    return read(json.dumps(written(*layers, vendor=vendor, **top)))


def wrong(document: Any, limits: Limits | None = None) -> dict[str, str]:
    """What is wrong with a document, by pointer. Nothing at all is an error of the test."""
    try:
        read(document if isinstance(document, str | bytes) else json.dumps(document), limits=limits)
    except BadTemplate as bad:
        return {problem.pointer: problem.text for problem in bad.problems}
    raise AssertionError("nothing is wrong with it")


def wrong_in(**provision: Any) -> dict[str, str]:
    """The same for a section of the only layer, by the pointers below it."""
    start = "/configurations/0/provision"
    return {pointer.removeprefix(start): text for pointer, text in wrong(written(layer(**provision))).items()}


def warned(*layers: Any, vendor: Any = AWS, **top: Any) -> dict[str, str]:
    return {warning.pointer: warning.text for warning in template(*layers, vendor=vendor, **top).warnings}
