"""Sentences by a rule that needs no model."""

import re

_SENTENCE_END = re.compile(r"(?<=[.!?…])[\"'’”»)\]]*\s+|\s*[\r\n]\s*")


def split_sentences(text: str) -> list[tuple[int, int]]:
    """Cut a text into sentences by a rule that needs no model.

    A sentence ends after ``.``, ``!``, ``?`` or ``…``, with any closing quotes and brackets, that
    white space follows, and at every line break. Abbreviations are cut too ("Gen. Brask" are two),
    which is the same for both annotators.

    :param text: the text.
    :return: half-open offsets of the sentences, in order, none of them blank.
    """
    sentences, start = [], 0
    for gap in _SENTENCE_END.finditer(text):
        sentences.append((start, gap.start() + len(gap[0].rstrip())))
        start = gap.end()
    sentences.append((start, len(text)))
    return [(start, end) for start, end in sentences if text[start:end].strip()]
