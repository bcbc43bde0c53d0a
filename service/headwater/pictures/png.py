"""A picture as PNG, for slides and READMEs; drawn by resvg from the SVG, with no system libraries."""

from __future__ import annotations

from headwater.errors import HeadwaterError, TooLarge

_MOST_PIXELS = 16_000_000
"""64 MB while it is drawn; several may be drawn at a time."""


def png(picture: str, *, zoom: float = 2.0) -> bytes:
    """The SVG text `picture` as PNG bytes on white, `zoom` pixels per SVG unit (less where the picture would get too large).

    Raises `TooLarge` if the picture does not fit 16 megapixels even at a quarter of its size.

    >>> png('<svg xmlns="http://www.w3.org/2000/svg" width="4" height="4"/>')[1:4]
    b'PNG'
    """
    try:
        width, height = (float(picture.split(f' {side}="', 1)[1].split('"', 1)[0]) for side in ("width", "height"))
    except (IndexError, ValueError) as error:
        raise HeadwaterError("a picture was drawn without its size") from error
    while zoom > 0.25 and width * height * zoom * zoom > _MOST_PIXELS:
        zoom /= 2
    if width * height * zoom * zoom > _MOST_PIXELS:
        raise TooLarge("the picture is too large for PNG", remedy="Ask for the SVG, or for less depth.")
    import resvg_py

    drawn = resvg_py.svg_to_bytes(svg_string=picture, background="#ffffff", zoom=zoom, sans_serif_family="DejaVu Sans")
    return bytes(drawn)
