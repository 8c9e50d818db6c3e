"""Sentences into token ids, from a `tokenizers` file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from matpho_contracts.errors import BadInputError

MAX_CHARACTERS = 2_000
"""Of a sentence; what follows is not read. A caption has about 60 and the text tower sees 77 tokens at most."""
MAX_TOKENIZER_BYTES = 32 << 20


class Words:
    """A tokenizer that fills or cuts every sentence to `context` ids. Thread-safe."""

    def __init__(self, file: Path, context: int) -> None:
        from tokenizers import Tokenizer

        if file.stat().st_size > MAX_TOKENIZER_BYTES:
            raise BadInputError(f"{file.name} is larger than any tokenizer.", action="Export the encoder again.")
        try:
            self._tokenizer = Tokenizer.from_file(str(file))
        except Exception as error:
            raise BadInputError(
                f"{file} is not a tokenizer file ({error}).", action="Export the encoder again."
            ) from error
        padding = self._tokenizer.padding
        if padding is None or self._tokenizer.truncation is None or padding["length"] != context:
            raise BadInputError(
                f"{file.name} does not fill sentences to {context} tokens.", action="Export the encoder again."
            )

    def ids(self, texts: Sequence[str]) -> NDArray[np.int64]:
        """(n, context) token ids of n sentences; too long sentences lose their end, never their end mark."""
        found = self._tokenizer.encode_batch([text[:MAX_CHARACTERS] for text in texts])
        return np.array([encoding.ids for encoding in found], dtype=np.int64)
