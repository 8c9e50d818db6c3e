"""Trains the encoder's own tokenizer: byte-level BPE over lower-case NFC text, so that nothing is unknown to it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from matpho_contracts.text import fold
from matpho_contracts.vocabulary import COLOUR_NAMES, EVENT_TYPES, OBJECT_NAMES

VOCABULARY = 4096
PAD, START, END = "<pad>", "<start>", "<end>"


def train_tokenizer(sentences: Iterable[str], out: Path, *, context: int, vocabulary: int = VOCABULARY) -> int:
    """Writes `out` (tokenizers' JSON) that fills or cuts every sentence to `context` ids; gives the number of ids.

    The end mark has the highest id: open_clip's text tower looks for it there. Sentences are learnt with and
    without Vietnamese marks, together with the names in the contract's vocabularies.
    """
    from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFC(), normalizers.Lowercase(), normalizers.Strip()])
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary - 2,
        min_frequency=2,
        special_tokens=[PAD],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(_corpus(sentences), trainer)
    tokenizer.add_special_tokens([START, END])
    start, end = tokenizer.token_to_id(START), tokenizer.token_to_id(END)
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{START} $A {END}", special_tokens=[(START, start), (END, end)]
    )
    tokenizer.enable_truncation(context)
    tokenizer.enable_padding(length=context, pad_id=0, pad_token=PAD)
    tokenizer.save(str(out))
    return int(tokenizer.get_vocab_size())


def _corpus(sentences: Iterable[str]) -> Iterable[str]:
    for sentence in sentences:
        yield sentence
        yield fold(sentence)
    names = [*OBJECT_NAMES.values(), *COLOUR_NAMES.values(), *(name for _, _, name in EVENT_TYPES.values())]
    for vi, en in names * 20:
        yield from (vi, fold(vi), en)
