"""The reference of the API, rendered from its own OpenAPI document; nothing on it comes from another host."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from headwater.web.documented import MET
from headwater.web.problems import REFUSALS
from headwater.web.rendering import page

router = APIRouter(include_in_schema=False)
_MOST_WORDS = 12
_ANY = {str(status): one["description"] for status, one in REFUSALS.items()} | MET
"""What any request may be answered by; said once."""
_SORTS = ("date", "date-time", "iri", "ledger-sequence")


@router.get("/docs")
def docs(request: Request) -> Response:
    """Every address with its parameters and answers."""
    document = request.app.openapi()
    groups: dict[str, list[dict[str, Any]]] = {tag["name"]: [] for tag in document["tags"]}
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            tag = operation.get("tags", ["service"])[0]
            groups.setdefault(tag, []).append(_entry(path, method, operation))
    about = {tag["name"]: tag["description"] for tag in document["tags"]}
    body = page("docs.html", request, info=document["info"], groups=groups, about=about, any=sorted(_ANY.items()))
    return Response(body, headers={"Cache-Control": "no-cache"}, media_type="text/html")


def _entry(path: str, method: str, operation: dict[str, Any]) -> dict[str, Any]:
    parameters = [
        {
            "name": one["name"],
            "where": one["in"],
            "required": one.get("required", False),
            "about": one.get("description") or one.get("schema", {}).get("description", ""),
            "type": _type(one["schema"]) if "schema" in one else "object, as JSON",
            "example": _example(one),
        }
        for one in operation.get("parameters", [])
    ]
    content = operation.get("requestBody", {}).get("content", {})
    example = next((str(one["example"]) for one in content.values() if isinstance(one.get("example"), str)), "")
    answers = [
        {"status": status, "about": one["description"], "types": list(one.get("content", {})) if status < "400" else []}
        for status, one in operation["responses"].items()
        if one["description"] != _ANY.get(status)
    ]
    return {
        "path": path,
        "method": method.upper(),
        "anchor": operation["operationId"],
        "summary": operation.get("summary", ""),
        "about": operation.get("description", ""),
        "parameters": parameters,
        "body": list(content),
        "body_example": example,
        "answers": answers,
    }


def _type(schema: dict[str, Any]) -> str:
    if "enum" in schema:
        shown = [str(one) for one in schema["enum"] if one != ""]
        return " | ".join(shown[:_MOST_WORDS]) + (f" | … ({len(shown)})" if len(shown) > _MOST_WORDS else "")
    if "const" in schema:
        return str(schema["const"])
    if "anyOf" in schema:
        return " | ".join(kind for kind in (_type(one) for one in schema["anyOf"]) if kind != "null")
    if schema.get("type") == "array":
        return f"{_type(schema.get('items', {}))}, several"
    if schema.get("format") in _SORTS:
        return str(schema["format"])
    return str(schema.get("type", "any"))


def _example(parameter: dict[str, Any]) -> str:
    schema = parameter.get("schema", {})
    examples = schema.get("examples") or parameter.get("examples") or []
    if "example" in parameter:
        return str(parameter["example"])
    return str(examples[0]) if isinstance(examples, list) and examples else ""
