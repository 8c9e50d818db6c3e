"""Writes open_clip's tokenizers as a `tokenizers` file, so that the box needs no open_clip."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from matpho_contracts.errors import BadInputError

_SPLIT = r"<start_of_text>|<end_of_text>|'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"
"""How CLIP cuts a sentence into words (Radford et al., 2021; open_clip's SimpleTokenizer has the same)."""


def write_clip_tokenizer(tokenizer: Any, out: Path, context: int) -> None:
    """Converts CLIP's BPE or a Hugging Face tokenizer, as `open_clip.get_tokenizer` gives them.

    Same ids as the original for ordinary text; what open_clip repairs beforehand (broken encodings, HTML entities)
    is read as it stands. BadInputError for a tokenizer of another kind.
    """
    if hasattr(tokenizer, "bpe_ranks") and hasattr(tokenizer, "encoder"):
        converted = _from_bpe(tokenizer)
        pad = 0
    elif hasattr(getattr(tokenizer, "tokenizer", None), "backend_tokenizer"):
        from tokenizers import Tokenizer

        converted = Tokenizer.from_str(tokenizer.tokenizer.backend_tokenizer.to_str())
        pad = int(tokenizer.tokenizer.pad_token_id or 0)
    else:
        raise BadInputError(f"A tokenizer of the kind {type(tokenizer).__name__} cannot be converted.")
    converted.enable_truncation(context)
    converted.enable_padding(length=context, pad_id=pad, pad_token=converted.id_to_token(pad) or "")
    converted.save(str(out))
    json.loads(out.read_text(encoding="utf-8"))


def _from_bpe(tokenizer: Any) -> Any:
    from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors

    merges = [pair for pair, _ in sorted(tokenizer.bpe_ranks.items(), key=lambda item: item[1])]
    end_of_word = "</w>"
    converted = Tokenizer(
        models.BPE(vocab=dict(tokenizer.encoder), merges=merges, end_of_word_suffix=end_of_word, fuse_unk=False)
    )
    converted.normalizer = normalizers.Sequence(
        [normalizers.NFC(), normalizers.Replace(Regex(r"\s+"), " "), normalizers.Strip(), normalizers.Lowercase()]
    )
    converted.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(_SPLIT), behavior="removed", invert=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    converted.decoder = decoders.ByteLevel()
    start, end = tokenizer.sot_token_id, tokenizer.eot_token_id
    words = {number: word for word, number in tokenizer.encoder.items()}
    converted.post_processor = processors.TemplateProcessing(
        single=f"{words[start]} $A {words[end]}", special_tokens=[(words[start], start), (words[end], end)]
    )
    return converted
