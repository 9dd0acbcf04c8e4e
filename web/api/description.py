"""The API's description of itself: OpenAPI 3.1 with an example of every operation, which a test sends as it stands.

``samples.json`` holds the examples: what is sent and what comes back. flask-openapi3 cannot say several things that
are needed here, so they are put in afterwards: the ``examples`` of a body's fields (JSON Schema 2020-12, section 9.5),
and operations of one address that stand in different modules, of which it keeps the last module's alone.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Mapping
from functools import lru_cache
from importlib.resources import files
from typing import Any
from urllib.parse import urlencode

from flask_openapi3 import APIBlueprint, OpenAPI

from web.api.models import Body

SIGNED = {"POST /api/v1/transcripts": "Frontdesk-Signature: t=$NOW,v1=$SIGNATURE"}  # by what signs it


@lru_cache(maxsize=1)
def samples() -> Mapping[str, Mapping[str, Any]]:
    """By ``METHOD /path/{name}``: ``path``, ``query``, ``headers``, ``body`` or ``form`` and ``file`` of the request
    where it has them, and ``status`` and ``answer`` of what comes back."""
    found: dict[str, dict[str, Any]] = json.loads((files("web.api") / "samples.json").read_text("utf-8"))
    return found


def register(app: OpenAPI, api: APIBlueprint) -> None:
    """With its part of the description beside what others say of the same addresses."""
    others = {path: app.paths[path] for path in api.paths if path in app.paths}
    app.register_api(api)
    for path, item in others.items():
        own = app.paths[path]
        app.paths[path] = item.model_copy(update={name: getattr(own, name) for name in own.model_fields_set})


def describe(app: OpenAPI) -> dict[str, Any]:
    """The document behind ``/openapi.json``."""
    document: dict[str, Any] = app.api_doc
    schemas = document.get("components", {}).get("schemas", {})
    for model in _bodies(Body):
        properties = schemas.get(model.__name__, {}).get("properties", {})
        for name, part in model.model_json_schema().get("properties", {}).items():
            if "examples" in part and name in properties:
                properties[name]["examples"] = part["examples"]
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            sample = samples().get(f"{method.upper()} {path}")
            if sample is not None:
                _show(operation, method, path, sample)
    return document


def _show(operation: dict[str, Any], method: str, path: str, sample: Mapping[str, Any]) -> None:
    """Put an example into the description of its operation, at the places that OpenAPI 3.1 has for it."""
    given = {"path": sample.get("path", {}), "query": sample.get("query", {})}
    for parameter in operation.get("parameters", []):
        values = given.get(parameter["in"], {})
        if parameter["name"] in values:
            parameter["example"] = values[parameter["name"]]
    if "body" in sample:
        body = operation.setdefault("requestBody", {"required": True, "content": {}})
        content = body["content"].setdefault("application/json", {"schema": {"type": "object"}})
        content["example"] = sample["body"]
    if "answer" in sample:
        content = operation["responses"].setdefault(str(sample["status"]), {"description": ""})
        kinds = content.setdefault("content", {})
        kind = "application/json" if not isinstance(sample["answer"], str) else "text/event-stream"
        kinds.setdefault(kind, {})["example"] = sample["answer"]
    operation["x-codeSamples"] = [{"lang": "Shell", "source": as_curl(operation, method, path, sample)}]


def as_curl(operation: Mapping[str, Any], method: str, path: str, sample: Mapping[str, Any]) -> str:
    """The request as people try it in a terminal; HOST, TOKEN and KEY are theirs."""
    address = f"https://HOST{path.format(**sample.get('path', {}))}"
    if sample.get("query"):
        address += "?" + urlencode(sample["query"])
    words = ["curl", *(["-X", method.upper()] if method != "get" else []), shlex.quote(address)]
    schemes = {name for entry in operation.get("security", []) for name in entry}
    if schemes:
        words.append(f"-H 'Authorization: Bearer {'KEY' if 'api_key' in schemes else 'TOKEN'}'")
    signed = SIGNED.get(f"{method.upper()} {path}")
    if signed:
        words.append(f'-H "{signed}"')
    words += [f"-H {shlex.quote(f'{name}: {value}')}" for name, value in sample.get("headers", {}).items()]
    if "file" in sample:
        words.append(f"-F file=@{sample['file']}")
        words += [f"-F {shlex.quote(f'{name}={value}')}" for name, value in sample.get("form", {}).items()]
    if "body" in sample:
        words.append("-H 'Content-Type: application/json'")
        words.append("-d " + shlex.quote(json.dumps(sample["body"], ensure_ascii=False)))
    return " ".join(words)


def _bodies(parent: type[Body]) -> Iterator[type[Body]]:
    for model in parent.__subclasses__():
        yield model
        yield from _bodies(model)
