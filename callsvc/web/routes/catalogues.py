"""What administrators edit, as a form or as a text: checked before it is saved, kept version by version, brought back."""

from __future__ import annotations

import tomllib
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Request

from callsvc.access import people, trail
from callsvc.access.rights import Action
from callsvc.access.sessions import Session
from callsvc.errors import Conflict
from callsvc.locale.said import Said
from callsvc.store import Connection
from callsvc.store import catalogues as store
from callsvc.store.catalogues import Version
from callsvc.web import catalogues, door, forms, merged, written
from callsvc.web.door import Language, OneSite
from callsvc.web.problems import Problem, language
from callsvc.web.shapes import Who
from callsvc.web.shapes_catalogues import (
    CatalogueChange,
    CatalogueChanges,
    CatalogueCheck,
    CatalogueFault,
    CatalogueList,
    CatalogueMerged,
    CatalogueOut,
    CatalogueSaved,
    CatalogueSummary,
    CatalogueText,
    CatalogueUndo,
    CatalogueVersion,
    ChangedLine,
    NodeStanding,
)
from callsvc.web.site import Site

router = APIRouter(prefix="/api/catalogues", tags=["catalogues"])
Editor = Annotated[Session, Depends(door.may(Action.RULES_EDIT))]
Number = Annotated[int, Path(ge=0)]


def kind(kind: Annotated[str, Path()]) -> str:
    """One of those that there are."""
    if kind not in catalogues.KINDS:
        raise Problem("missing")
    return kind


Kind = Annotated[str, Depends(kind)]


@router.get("")
async def listing(here: OneSite, _session: Editor) -> CatalogueList:
    """What can be edited, and who edited it last."""
    async with here.database.transaction() as conn:
        found = await store.latest(conn)
        known = await _known(conn)
    return CatalogueList(
        catalogues=[
            CatalogueSummary(
                kind=name,
                version=found[name].version if name in found else 0,
                latest=_version(found[name], known) if name in found else None,
            )
            for name in catalogues.KINDS
        ]
    )


@router.get("/{kind}")
async def show(here: OneSite, _session: Editor, kind: Kind, lang: Language) -> CatalogueOut:
    """What is in force, the form that it can be changed in, and its versions."""
    async with here.database.transaction() as conn:
        found = await store.history(conn, kind)
        known = await _known(conn)
    body = found[0].body if found else catalogues.KINDS[kind].packaged()
    return CatalogueOut(
        kind=kind,
        version=found[0].version if found else 0,
        body=body,
        value=_value(body),
        form=forms.form(kind, here.settings.media.announcements),
        in_settings=kind == "line-profiles" and here.settings.media.line_profiles is not None,
        nodes=_nodes(here, kind, lang),
        history=[_version(one, known) for one in found],
    )


def _nodes(here: Site, kind: str, lang: str) -> list[NodeStanding] | None:
    if kind not in catalogues.FOR_NODES:
        return None
    return [
        NodeStanding(
            node=one.node,
            here=one.here,
            agrees=one.agrees,
            version=one.standing.version,
            source=one.standing.source,
            refused_version=one.standing.refused.version if one.standing.refused else None,
            refused_why=Said.load(one.standing.refused.why).sentence(lang) if one.standing.refused else "",
        )
        for one in here.nodes.of(kind, here.catalogues.editions.get(kind))
    ]


@router.get("/{kind}/versions/{before}/changes/{after}")
async def changes(
    here: OneSite, _session: Editor, kind: Kind, before: Number, after: Number
) -> CatalogueChanges:
    """What differs between two versions; 0 is what came with the service."""
    async with here.database.transaction() as conn:
        old, new = await _body(conn, kind, before), await _body(conn, kind, after)
    return _changes(old, new)


@router.post("/{kind}/check")
async def check(
    request: Request, here: OneSite, _session: Editor, kind: Kind, asked: CatalogueText
) -> CatalogueCheck:
    """What stands in the way of this, the text that it would be, and what that says; nothing is saved."""
    async with here.database.transaction() as conn:
        body = await _meant(conn, kind, asked)
    return CatalogueCheck(faults=_faults(request, kind, body), body=body, value=_value(body))


@router.post("/{kind}/changes")
async def compare(here: OneSite, _session: Editor, kind: Kind, asked: CatalogueText) -> CatalogueChanges:
    """What this would change of what is in force."""
    async with here.database.transaction() as conn:
        body = await _meant(conn, kind, asked)
        found = (await store.latest(conn)).get(kind)
    return _changes(found.body if found else catalogues.KINDS[kind].packaged(), body)


@router.post("/{kind}/merge")
async def merge(
    request: Request, here: OneSite, _session: Editor, kind: Kind, asked: CatalogueText
) -> CatalogueMerged:
    """Put what was made of `version` together with what somebody else has saved since; nothing is saved."""
    async with here.database.transaction() as conn:
        body = await _meant(conn, kind, asked)
        base = _value(await _body(conn, kind, asked.version))
        found = (await store.latest(conn)).get(kind)
        theirs = await _body(conn, kind, found.version if found else 0)
    version = found.version if found else 0
    mine, other = _value(body), _value(theirs)
    if mine is None or other is None:
        faults = _faults(request, kind, body)
        return CatalogueMerged(version=version, body=body, value=None, both=[], faults=faults)
    value, both = merged.merge(base or {}, mine, other)
    text = written.write(value, theirs)
    places = [list(one) for one in both]
    return CatalogueMerged(version=version, body=text, value=_value(text), both=places, faults=[])


@router.put("/{kind}")
async def save(
    request: Request, here: OneSite, session: Editor, kind: Kind, asked: CatalogueChange
) -> CatalogueSaved:
    """Put it in force, from the next call or question on. What has faults is not saved."""
    async with here.database.transaction() as conn:
        body = await _meant(conn, kind, asked)
    found = _faults(request, kind, body)
    if found:
        return CatalogueSaved(faults=found)
    return await _save(here, session, kind, body, after=asked.version, why=asked.why)


@router.post("/{kind}/undo")
async def undo(
    request: Request, here: OneSite, session: Editor, kind: Kind, asked: CatalogueUndo
) -> CatalogueSaved:
    """Bring back the text of an older version, as a new one."""
    async with here.database.transaction() as conn:
        body = await _body(conn, kind, asked.to)
    # What was whole once may not be for a newer service.
    found = _faults(request, kind, body)
    if found:
        return CatalogueSaved(faults=found)
    return await _save(here, session, kind, body, after=asked.version, why=asked.why, undoes=asked.to)


async def _save(
    here: Site, session: Session, kind: str, body: str, *, after: int, why: str, undoes: int | None = None
) -> CatalogueSaved:
    at = here.clock.utc_now()
    who = session.person.id
    why = " ".join(why.split())
    async with here.database.transaction() as conn:
        try:
            made = await store.save(conn, kind, body, after=after, why=why, by=who, at=at, undoes=undoes)
        except Conflict:
            raise Problem("edited_meanwhile") from None
        await trail.record(
            conn,
            user_id=who,
            action="catalogue.save",
            object_kind="catalogue",
            object_id=kind,
            reason=why,
            detail={"version": made.version},
            at=at,
        )
    # Only what has been committed is put in force.
    async with here.database.transaction() as conn:
        await here.catalogues.refresh(conn)
    return CatalogueSaved(faults=[], version=made.version)


async def _meant(conn: Connection, kind: str, asked: CatalogueText) -> str:
    """The text that is asked about: as it was sent, or a value written over the one that it was made from."""
    if asked.value is None:
        return asked.body or ""
    over = await _body(conn, kind, asked.version) if asked.body is None else asked.body
    return written.write(asked.value, over)


def _value(body: str) -> dict[str, Any] | None:
    try:
        return tomllib.loads(body)
    except tomllib.TOMLDecodeError:
        return None


async def _body(conn: Connection, kind: str, version: int) -> str:
    if version == 0:
        return catalogues.KINDS[kind].packaged()
    return (await store.get(conn, kind, version)).body


def _changes(old: str, new: str) -> CatalogueChanges:
    kinds: dict[str, Literal["same", "out", "in", "gap"]] = {
        "same": "same", "out": "out", "in": "in", "gap": "gap",
    }  # fmt: skip
    return CatalogueChanges(
        lines=[ChangedLine(kind=kinds[kind], text=line) for kind, line in catalogues.changes(old, new)]
    )


def _faults(request: Request, kind: str, body: str) -> list[CatalogueFault]:
    lang = language(request.headers.get("accept-language", ""))
    return [
        CatalogueFault(field=one.field, at=list(one.at), message=one.message, line=one.line)
        for one in catalogues.faults(kind, body, lang)
    ]


async def _known(conn: Connection) -> dict[UUID, Who]:
    return {
        one.id: Who(id=one.id, name=one.name, display_name=one.display_name)
        for one in await people.listing(conn)
    }


def _version(found: Version, known: dict[UUID, Who]) -> CatalogueVersion:
    return CatalogueVersion(
        version=found.version,
        at=found.at,
        by=known.get(found.by_id) if found.by_id else None,
        why=found.why,
        undoes=found.undoes,
    )
