"""Procedures: kept, and searched for the passages that answer."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from matpho_contracts.errors import BadInputError
from matpho_contracts.vocabulary import EventType
from matpho_platform.incidents import repository
from matpho_platform.incidents.errors import ProcedureNotFoundError
from matpho_platform.incidents.passages import Library
from matpho_platform.incidents.procedure import Procedure, ProcedurePage
from matpho_platform.store.engine import Store
from matpho_platform.store.tables import procedures

MAX_QUERY = 400
"""Characters of a question."""
MAX_LIMIT = 200


class ProcedureService:
    """The procedures of an installation."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._libraries: dict[tuple[str, ...], Library] = {}

    async def all(self, *, public_only: bool) -> Sequence[Procedure]:
        """Every procedure, by id."""
        return (await self._library(public_only)).procedures

    async def get(self, procedure_id: str) -> Procedure:
        """One procedure; raises ProcedureNotFoundError."""
        async with self._store.reading() as session:
            document = await repository.stored_procedure(session, procedure_id)
        if document is None:
            raise ProcedureNotFoundError(f"There is no procedure {procedure_id}.", action="List the procedures.")
        return Procedure.model_validate_json(document)

    async def for_types(self, types: Iterable[EventType]) -> Procedure | None:
        """The procedure for events of these types; of several the most urgent, then the first by id."""
        wanted = set(types)
        fitting = [item for item in await self.all(public_only=False) if wanted & set(item.event_types)]
        return max(fitting, key=lambda item: item.priority.rank, default=None)

    async def search(
        self,
        query: str,
        *,
        public_only: bool,
        aliases: Iterable[tuple[str, str]] = (),
        limit: int = 20,
        offset: int = 0,
    ) -> ProcedurePage:
        """With a question the best match first and the passages that answer; without one all, by id.

        `public_only` leaves everything else out before anything is ranked. `aliases` are pairs of another name and
        the name in full ("PC07", "Phòng Cảnh sát PCCC và CNCH"). Raises BadInputError for an absurd query.
        """
        if len(query) > MAX_QUERY:
            raise BadInputError(f"A question has at most {MAX_QUERY} characters.")
        limit, offset = max(1, min(limit, MAX_LIMIT)), max(0, offset)
        library = await self._library(public_only)
        if not query.strip():
            shown = library.procedures[offset : offset + limit]
            return ProcedurePage(procedures=shown, total=len(library.procedures), offset=offset, limit=limit)
        found, passages = library.search(query, aliases)
        shown = found[offset : offset + limit]
        ids = {item.id for item in shown}
        quoted = tuple(passage for passage in passages if passage.procedure_id in ids)
        return ProcedurePage(procedures=shown, passages=quoted, total=len(found), offset=offset, limit=limit)

    async def load(self, given: Iterable[Procedure]) -> None:
        """Add procedures, or change those with the same ids."""
        async with self._store.writing() as session:
            for item in given:
                values = {"procedure_id": item.id, "title": item.title, "public": item.public}
                await repository.save(session, procedures, values | {"document": item.model_dump_json()})

    async def _library(self, public_only: bool) -> Library:
        """The searchable procedures, made anew only when one has changed."""
        async with self._store.reading() as session:
            documents = tuple(await repository.stored_procedures(session, public_only))
        if documents not in self._libraries:
            if len(self._libraries) >= 2:
                self._libraries.clear()
            self._libraries[documents] = Library(Procedure.model_validate_json(text) for text in documents)
        return self._libraries[documents]
