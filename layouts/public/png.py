"""Our SVG as PNG: drawn with the bundled font alone, at twice its size, with its facts as text chunks."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path

import resvg_py

FONT = Path(__file__).resolve().parents[2] / "assets" / "fonts" / "public-sans-wght.ttf"
FAMILY = "Public Sans"
ZOOM = 2
DOTS_PER_METRE = round(96 * ZOOM / 0.0254)

SIGNATURE = b"\x89PNG\r\n\x1a\n"
_HEADER_END = len(SIGNATURE) + 25
"""Where the first chunk, IHDR, ends: texts stand right behind it, so that they are read first."""


def draw(svg: str, texts: Mapping[str, str]) -> bytes:
    """The picture in PNG, two dots for each unit, with these texts (PNG 11.3.4: keywords to Latin-1 words).

    No font of the machine is used, so that the same picture comes out everywhere.
    """
    made = resvg_py.svg_to_bytes(
        svg_string=svg,
        skip_system_fonts=True,
        font_files=[str(FONT)],
        font_family=FAMILY,
        sans_serif_family=FAMILY,
        zoom=ZOOM,
    )
    chunks = [_chunk(b"pHYs", struct.pack(">IIB", DOTS_PER_METRE, DOTS_PER_METRE, 1))]
    chunks += [_text(keyword, text) for keyword, text in texts.items() if text]
    return bytes(made[:_HEADER_END]) + b"".join(chunks) + bytes(made[_HEADER_END:])


def texts(png: bytes) -> dict[str, str]:
    """The texts a PNG carries, by their keywords."""
    found = {}
    for kind, data in _chunks(png):
        if kind == b"iTXt":
            keyword, _nul, rest = data.partition(b"\0")
            text = rest[2:].split(b"\0", 2)[2]
            found[keyword.decode("latin-1")] = text.decode("utf-8")
    return found


def _text(keyword: str, text: str) -> bytes:
    """An international text chunk, not compressed, of no language."""
    return _chunk(b"iTXt", keyword.encode("latin-1") + b"\0\0\0\0\0" + text.encode("utf-8"))


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _chunks(png: bytes) -> Iterator[tuple[bytes, bytes]]:
    place = len(SIGNATURE)
    while place < len(png):
        (length,) = struct.unpack_from(">I", png, place)
        yield png[place + 4 : place + 8], png[place + 8 : place + 8 + length]
        place += 12 + length
