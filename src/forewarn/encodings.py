"""Bytes to text: UTF-8 unless told; another encoding is found only where that is asked for."""

from typing import Final

UTF8: Final = "utf-8"
AUTO: Final = "auto"
SAMPLE_BYTES: Final = 262_144
"""How much of a file is looked at to find its encoding."""

_UTF8_BOM = b"\xef\xbb\xbf"
_MARKS = ((b"\xff\xfe\x00\x00", "utf-32"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))


def decode(content: bytes, encoding: str = UTF8) -> str:
    """Decode, dropping a byte order mark and keeping line ends as they are.

    :param content: the bytes.
    :param encoding: a Python name of their encoding.
    :return: the text.
    """
    return content.removeprefix(_UTF8_BOM).decode(encoding)


def decode_found(content: bytes, encoding: str) -> tuple[str, str]:
    """Decode, finding the encoding where it is ``auto``.

    :param content: the bytes.
    :param encoding: a Python name of an encoding, or ``auto``.
    :return: the text and its encoding.
    """
    if encoding != AUTO:
        return decode(content, encoding), encoding
    try:
        return decode(content), UTF8
    except UnicodeDecodeError:
        found = find_encoding(content)
        if found is None:
            raise
        return decode(content, found), found


def find_encoding(content: bytes) -> str | None:
    """Find the encoding of bytes: by their mark, else as charset-normalizer judges.

    :param content: the bytes; of many, the first are judged.
    :return: a Python name of the encoding, or None if none fits.
    """
    for mark, name in _MARKS:
        if content.startswith(mark):
            return name
    try:
        from charset_normalizer import from_bytes
    except ImportError as error:
        raise ValueError(
            "finding an encoding needs one more package: pip install 'forewarn[documents]'"
        ) from error
    sample = content[:SAMPLE_BYTES]
    try:
        sample.decode()
        return UTF8
    except UnicodeDecodeError as error:
        if error.start > len(sample) - 4 and len(content) > len(sample):
            return UTF8  # the sample ends within a character
    matches = from_bytes(sample)
    best = matches.best()
    if best is None:
        return None
    # Of encodings that give equally good words, English texts are most likely in this one.
    western = any(m.encoding == "cp1252" and m.coherence >= best.coherence for m in matches)
    return "cp1252" if western or "cp1252" in best.could_be_from_charset else best.encoding


def describe_bad_bytes(error: UnicodeDecodeError, offset: int = 0) -> str:
    """Say where a decoding failed and what to do.

    :param error: the failure.
    :param offset: bytes before those that were decoded.
    :return: the message.
    """
    byte = error.object[error.start]
    name = "UTF-8" if error.encoding in ("utf-8", "utf8") else error.encoding
    return (
        f"not valid {name}: byte 0x{byte:02x} at offset {offset + error.start} ({error.reason}); "
        "convert the file to UTF-8, or name its encoding with --encoding (auto finds it)"
    )
