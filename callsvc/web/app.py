"""The pages and the API in one ASGI application."""

from __future__ import annotations

from pathlib import Path

from fastapi import FastAPI
from fastapi.routing import APIRoute
from starlette.types import ASGIApp

from callsvc import __version__
from callsvc.web import guard, pages, problems
from callsvc.web.routes import (
    access_log,
    announcements,
    bundles,
    calls,
    captions,
    cases,
    catalogues,
    copies,
    demo,
    disclosures,
    hand_overs,
    hold_requests,
    lanes,
    live,
    models,
    notes,
    operations,
    own_account,
    passkeys,
    people,
    replay,
    retention,
    review,
    search,
    shift,
    single_sign_on,
    sound,
    transcripts,
)
from callsvc.web.site import Site

_ROUTERS = (
    people.router,
    single_sign_on.router,
    own_account.router,
    passkeys.router,
    calls.router,
    shift.router,
    announcements.router,
    notes.router,
    cases.router,
    sound.router,
    lanes.router,
    transcripts.router,
    copies.router,
    search.router,
    disclosures.router,
    bundles.router,
    captions.router,
    review.router,
    hand_overs.router,
    replay.router,
    demo.router,
    access_log.router,
    catalogues.router,
    retention.router,
    hold_requests.router,
    models.router,
    live.router,
    operations.router,
)


def _operation(route: APIRoute) -> str:
    return f"{route.tags[0] if route.tags else 'service'}_{route.name}".replace(" ", "_")


def describe() -> FastAPI:
    """The API without a site or screens: what its OpenAPI description is made from."""
    app = FastAPI(
        title="callsvc",
        version=__version__,
        summary="Calls, their recordings, transcripts and proofs; who may see them, and who did.",
        openapi_url="/api/openapi.json",
        # The pages that FastAPI would add fetch scripts from elsewhere.
        docs_url=None,
        redoc_url=None,
        generate_unique_id_function=_operation,
    )
    for router in _ROUTERS:
        app.include_router(router)
    return app


def create_app(site: Site, *, built: Path = pages.BUILT) -> ASGIApp:
    """Everything put together. Raises `ScreensMissing` when the screens have not been built."""
    app = describe()
    app.include_router(pages.router(built))
    app.state.site = site
    problems.install(app)
    web = site.settings.web
    # Around the whole app, so that what goes wrong in it is guarded, too.
    return guard.Guard(app, hosts=guard.hosts_for(web.host, web.public_url), public_url=web.public_url)
