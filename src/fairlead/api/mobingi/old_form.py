"""What template do the stack forms of API version 2 stand for?

mobingi-cli sends them still (`stack create`, `stack update`): a vendor, a region and credentials, and a JSON text of
settings for one layer of servers. Settings that templates have no place for are refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from fairlead.api.mobingi import wire
from fairlead.api.mobingi.errors import BadParameter, MissingParameter
from fairlead.domain import stacks

FLAG = "Web01"
_NAME = "configurations"
_ENGINES = {"db_mysql": "mysql", "db_postgresql": "postgres"}
_CONTAINER = {
    "image": ("image", "image"),
    "dockerHubUsername": ("dockerHubUserName", "registry_username"),
    "dockerHubUserName": ("dockerHubUserName", "registry_username"),
    "dockerHubPassword": ("dockerHubPassword", "registry_password"),
    "codeDir": ("codeDir", "code_dir"),
    "gitReference": ("gitReference", "git_reference"),
    "gitPrivateKey": ("gitPrivateKey", "git_private_key"),
}
"""What it is called in a template that did not say it yet, and what all its names mean."""
_LISTENER = {"load_balancer_port": "80", "protocol": "HTTP", "instance_port": "80", "instance_protocol": "HTTP"}


def template_of_form(fields: wire.Fields) -> str:
    """The template for a form with `vendor`, `region`, `cred` and `configurations`."""
    said = _configurations(fields)
    vendor = wire.optional(fields, "vendor", "aws")
    section = {name: wire.optional(fields, name) for name in ("cred", "secret", "region")}
    template = {
        "version": "2017-03-03",
        "label": "" if isinstance(said, list) else wire.optional(said, "nickname"),
        "vendor": {vendor: {name: value for name, value in section.items() if value}},
        "configurations": said if isinstance(said, list) else [_layer(said)],
    }
    return msgspec.json.encode(template).decode()


def changed_template(template: Mapping[str, Any], fields: wire.Fields) -> str:
    """The template with what `configurations` names changed: in its first layer, or all layers if it lists them."""
    said = _configurations(fields)
    if isinstance(said, dict):
        first, *others = value_of(template, _NAME)
        said = [_changed(first, said), *others]
    return msgspec.json.encode(with_value(template, said, _NAME)).decode()


def value_of(section: Mapping[str, Any], *names: str) -> Any:
    """What a template says under one of these names, whichever way its generation writes it."""
    return next((section[key] for key in stacks.spelled(section, *names) if section[key] is not None), None)


def with_value(section: Mapping[str, Any], value: Any, *names: str) -> dict[str, Any]:
    """The section with another value where it says this; by the first of the names if it does not say it yet."""
    return {**section, **dict.fromkeys(stacks.spelled(section, *names) or names[:1], value)}


def _configurations(fields: wire.Fields) -> dict[str, Any] | list[Any]:
    said = fields.get(_NAME)
    if isinstance(said, str) and said:
        try:
            said = msgspec.json.decode(said)
        except (msgspec.DecodeError, RecursionError, ValueError) as problem:
            raise BadParameter(name=_NAME, reason=f"it must be a JSON text ({problem})") from None
    if not said:
        raise MissingParameter(name=_NAME)
    if not isinstance(said, dict | list):
        raise BadParameter(name=_NAME, reason="it must be the JSON text of an object")
    if isinstance(said, dict) and said.get("elasticache"):
        raise BadParameter(name=_NAME, reason="elasticache is not part of templates: make the cache at the vendor")
    return said


def _layer(said: dict[str, Any]) -> dict[str, Any]:
    layer: dict[str, Any] = {"role": "web", "flag": FLAG, "provision": {"availability_zone": "${computed}"}}
    if said.get("architecture", "art_elb") == "art_elb":
        layer["provision"]["auto_scaling"] = {"availability_zones": f"${{use({FLAG}.provision.availability_zone)}}"}
        layer["provision"]["load_balancer"] = {"listeners": [_LISTENER]}
    else:
        layer["provision"]["instance_count"] = 1
    return _changed(layer, said)


def _changed(layer: Mapping[str, Any], said: Mapping[str, Any]) -> dict[str, Any]:
    provision = value_of(layer, "provision") or {}
    if said.get("type"):
        provision = with_value(provision, said["type"], "instance_type")
    if said.get("database"):
        provision = with_value(provision, _database(said["database"]), "rds")
    scaling = _scaling(value_of(provision, "auto_scaling"), said)
    if scaling:
        provision = with_value(provision, scaling, "auto_scaling")
    changed = with_value(layer, provision, "provision")
    container = _container(value_of(layer, "container") or {}, said)
    return with_value(changed, container, "container") if container else changed


def _scaling(scaling: Any, said: Mapping[str, Any]) -> dict[str, Any]:
    """Sizes mean something where servers are scaled: a layer of one server has none to change."""
    changed: dict[str, Any] = scaling if isinstance(scaling, dict) else {}
    for key, name in {"min": "min", "max": "max", "spotRange": "spot_to_ondemand_ratio"}.items():
        if changed and said.get(key) is not None:
            changed = with_value(changed, said[key], name)
    return changed


def _container(container: Mapping[str, Any], said: Mapping[str, Any]) -> Mapping[str, Any]:
    for key, (name, meaning) in _CONTAINER.items():
        if said.get(key):
            container = with_value(container, said[key], name, *stacks.CONTAINER_KEYS[meaning])
    code = said.get("code")
    if isinstance(code, str) and code:
        address = code if "://" in code or "@" in code else f"https://{code}"
        container = with_value(container, address, "gitRepo", *stacks.CONTAINER_KEYS["git_repo"])
    return container


def _database(databases: Any) -> dict[str, Any]:
    if not isinstance(databases, list) or len(databases) != 1 or not isinstance(databases[0], dict):
        raise BadParameter(name=_NAME, reason="database must be a list with one database")
    said = databases[0]
    replicas = sum(1 for number in range(1, 6) if said.get(f"ReadReplica{number}"))
    storage = wire.optional(said, "DBStorage")
    if storage and not (storage.isascii() and storage.isdigit() and len(storage) < 9):
        raise BadParameter(name=_NAME, reason="DBStorage must be a number of gigabytes")
    found = {
        "engine": _ENGINES.get(wire.optional(said, "Engine"), said.get("Engine")),
        "db_instance_type": said.get("DBType"),
        "storage": int(storage) if storage else None,
        "replica": replicas or None,
    }
    return {name: value for name, value in found.items() if value}
