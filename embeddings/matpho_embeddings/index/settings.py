"""Settings of the vector index: a folder on this machine, or the address of a Qdrant server."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, SecretStr, model_validator

from matpho_contracts.errors import ConfigurationError
from matpho_contracts.events import MAX_VECTOR_DIM
from matpho_contracts.settings import SettingsBase

MIB = 1024 * 1024


class IndexSettings(SettingsBase):
    """Which index to open; `dim` is the encoder's, and vectors of another size are refused."""

    kind: Literal["edge", "qdrant"] = "edge"
    dim: Annotated[int, Field(gt=0, le=MAX_VECTOR_DIM)]
    path: Path | None = None
    """`edge`: the folder of the index; it is made when it is not there."""
    reserve_bytes: Annotated[int, Field(ge=0)] = 128 * MIB
    """`edge`: room on the disk that writing never eats; below it a write is refused whole."""
    url: str | None = None
    """`qdrant`: address of the server, for example https://qdrant.example:6333."""
    api_key: SecretStr | None = None
    collection: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")] = "matpho"
    exact_below: Annotated[int, Field(ge=0)] = 200_000
    """`qdrant`: filters that leave fewer points than this are searched without the graph, which loses matches there."""

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.kind == "edge" and self.path is None:
            raise ValueError("an index of kind edge needs a path")
        if self.kind == "qdrant" and self.url is None:
            raise ValueError("an index of kind qdrant needs a url")
        return self

    @property
    def folder(self) -> Path:
        """The folder of an `edge` index; raises ConfigurationError for another kind."""
        if self.path is None:
            raise ConfigurationError("This index has no folder.", action="Set kind: edge and a path.")
        return self.path
