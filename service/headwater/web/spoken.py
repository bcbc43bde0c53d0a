"""In which language a report speaks to a client: the one that it names, or the one of ours that its browser likes best."""

from __future__ import annotations

from typing import Annotated

from fastapi import Header

from headwater.checking.messages import LANGUAGES, spoken
from headwater.web.negotiation import languages

Speaks = Annotated[str | None, Header(alias="Accept-Language", include_in_schema=False)]
LANGUAGE = "What the sentences speak: en or de; else what Accept-Language prefers."


def spoken_for(asked: str | None, accepted: str | None) -> str:
    """The language named, else the one of ours that the client likes best. Raises `BadParameter` for a name we do not speak.

    >>> spoken_for(None, "fr, de;q=0.8"), spoken_for("en", "de")
    ('de', 'en')
    """
    return spoken(asked) if asked is not None else languages(accepted, LANGUAGES)
