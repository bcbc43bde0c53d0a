"""The questions of the catalogue as forms, for people who do not write SPARQL."""

from __future__ import annotations

from fastapi import APIRouter

router = APIRouter(include_in_schema=False)
