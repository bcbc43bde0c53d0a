"""The application: Headwater over HTTP, put together from one file of routes per subject."""

from __future__ import annotations

import os
from functools import partial

from fastapi import Depends, FastAPI
from starlette.routing import Route

from headwater import __version__
from headwater.app import Headwater
from headwater.web import problems
from headwater.web.at_least import AtLeast
from headwater.web.crossing import CrossOrigin
from headwater.web.documented import document
from headwater.web.metrics import Metrics
from headwater.web.observing import Observed, long_question
from headwater.web.rates import Rates, counted
from headwater.web.repeated import Repeated, Repeating
from headwater.web.routes import (
    ask,
    audit_page,
    audits,
    catalogue,
    graph,
    graph_store,
    health,
    landing,
    lineage,
    operations,
    plans,
    questions,
    records,
    reference,
    reports,
    search,
    sparql,
    statements,
    terms,
    updates,
    void,
)
from headwater.web.write_line import WriteLine

_ABOUT = """
Headwater keeps the provenance of scientific machine learning as a knowledge graph and answers two questions: what does a
change upstream affect, and who benefits downstream?

Every resource is negotiated (`Accept`, or `?format=`). Errors are `application/problem+json` (RFC 9457) with a `remedy`. What a
reader may not see is answered by 404. Answers about the graph say how complete they are. Writing needs a bearer token with
scope `write`; see `headwater token create`.
"""


def create_app(headwater: Headwater) -> FastAPI:
    """The ASGI application around an open `headwater`; who opened it closes it."""
    app = FastAPI(
        title="Headwater",
        summary="The provenance of scientific machine learning as a knowledge graph",
        description=_ABOUT,
        version=__version__,
        license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"},
        openapi_tags=[
            {"name": "questions", "description": "Lineage, impact, benefits and plans."},
            {"name": "objects", "description": "What is known of each digital object."},
            {"name": "records", "description": "Writing: documents in, verdict of the gate out."},
            {"name": "sparql", "description": "SPARQL 1.1 over what the reader may see: queries, updates, the graph store."},
            {"name": "pictures", "description": "The neighbourhood of an object, drawn on the server."},
            {"name": "service", "description": "Health, and audits of everything."},
        ],
        responses={422: {"description": "A parameter is unknown, missing or wrong.", "content": problems.CONTENT}},
        # FastAPI's own pages load their scripts from another host; /docs is ours.
        docs_url=None,
        redoc_url=None,
    )
    app.state.headwater = headwater
    app.state.metrics = Metrics()
    app.state.rates = _rates(headwater)
    app.state.writes = WriteLine(seconds=headwater.settings.query_timeout_s)
    problems.register(app)
    app.add_middleware(AtLeast, headwater=headwater)
    app.add_middleware(Observed, headwater=headwater, metrics=app.state.metrics)
    app.add_middleware(problems.Guard)
    app.add_middleware(CrossOrigin, origins=headwater.settings.cors_origins)
    app.state.repeated = Repeated(headwater, app.state.metrics, app.state.rates, headwater.settings.query_cache_mb * 2**20)
    app.add_middleware(Repeating, repeated=app.state.repeated)
    expensive = (questions, plans, reports, records, sparql, updates, graph_store, graph, lineage, search, ask, void)
    for routes in (
        questions,
        statements,
        plans,
        reports,
        catalogue,
        records,
        audits,
        audit_page,
        sparql,
        updates,
        graph_store,
        graph,
        health,
        operations,
        landing,
        lineage,
        search,
        ask,
        reference,
        terms,
        void,
    ):
        asked_first = [Depends(counted)] if routes in expensive else []
        if routes in (questions, plans):
            asked_first.append(Depends(long_question))
        app.include_router(routes.router, dependencies=asked_first, responses=problems.REFUSALS)
    # The framework asks the application itself for its document.
    app.openapi = partial(document, app)  # type: ignore[method-assign]
    # Goes before FastAPI's routes of the same address, which then only stand in the OpenAPI document.
    app.router.routes.insert(0, Route("/sparql", sparql.straight, methods=["GET", "POST", "QUERY"], include_in_schema=False))
    return app


def _rates(headwater: Headwater) -> Rates:
    settings = headwater.settings
    workers = settings.query_workers or max(2, os.cpu_count() or 1)
    return Rates(
        settings.requests_per_minute,
        settings.requests_at_once,
        running=settings.queries_per_reader or max(1, workers - 1),
        seconds=settings.query_timeout_s,
        threads=max(32, 4 * workers),
        workers=workers,
    )
