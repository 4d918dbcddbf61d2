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

FLAG = "Web01"
_NAME = "configurations"
_ENGINES = {"db_mysql": "mysql", "db_postgresql": "postgres"}
_CONTAINER = {
    "image": "image",
    "dockerHubUsername": "dockerHubUserName",
    "dockerHubUserName": "dockerHubUserName",
    "dockerHubPassword": "dockerHubPassword",
    "codeDir": "codeDir",
    "gitReference": "gitReference",
    "gitPrivateKey": "gitPrivateKey",
}
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
    if isinstance(said, list):
        return msgspec.json.encode({**template, "configurations": said}).decode()
    first, *others = template["configurations"]
    return msgspec.json.encode({**template, "configurations": [_changed(first, said), *others]}).decode()


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
    provision = dict(layer.get("provision") or {})
    if said.get("type"):
        provision["instance_type"] = said["type"]
    if said.get("database"):
        provision["rds"] = _database(said["database"])
    scaling = _scaling(provision.get("auto_scaling"), said)
    if scaling:
        provision["auto_scaling"] = scaling
    container = {**(layer.get("container") or {}), **_container(said)}
    return {**layer, "provision": provision} | ({"container": container} if container else {})


def _scaling(scaling: Any, said: Mapping[str, Any]) -> dict[str, Any]:
    """Sizes mean something where servers are scaled: a layer of one server has none to change."""
    names = {"min": "min", "max": "max", "spotRange": "spot_to_ondemand_ratio"}
    changes = {name: said[key] for key, name in names.items() if said.get(key) is not None}
    return {**scaling, **changes} if isinstance(scaling, dict) else {}


def _container(said: Mapping[str, Any]) -> dict[str, Any]:
    container = {name: said[key] for key, name in _CONTAINER.items() if said.get(key)}
    code = said.get("code")
    if isinstance(code, str) and code:
        container["gitRepo"] = code if "://" in code or "@" in code else f"https://{code}"
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
