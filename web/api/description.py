"""The API's description of itself: OpenAPI 3.1 with the examples that the bodies' fields name.

flask-openapi3's model of a schema knows no ``examples`` (JSON Schema 2020-12, section 9.5) and drops them; a body
without one is half a description, so they are put back here. A test sends each example as it stands.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from flask_openapi3 import OpenAPI

from web.api.models import Body


def describe(app: OpenAPI) -> dict[str, Any]:
    """The document behind ``/openapi.json``."""
    document: dict[str, Any] = app.api_doc
    schemas = document.get("components", {}).get("schemas", {})
    for model in _bodies(Body):
        properties = schemas.get(model.__name__, {}).get("properties", {})
        for name, part in model.model_json_schema().get("properties", {}).items():
            if "examples" in part and name in properties:
                properties[name]["examples"] = part["examples"]
    return document


def _bodies(parent: type[Body]) -> Iterator[type[Body]]:
    for model in parent.__subclasses__():
        yield model
        yield from _bodies(model)
