"""Why: the ways that prove a verdict, the weakest link on them, and how few statements it hangs on."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from headwater.access import Reader
from headwater.app.asking import Asking, linked
from headwater.app.explainer import Explainer, Wanted, read_k
from headwater.app.notices import Notice
from headwater.app.results import Answer
from headwater.app.sight import Sight
from headwater.app.telling import Occasion
from headwater.checking.messages import spoken
from headwater.errors import BadParameter
from headwater.lineage.verdict import SEVERITIES, STATES
from headwater.questions.hops import TEMPLATE

_TAKEN = ("direction", "roles", "stop_at", "min_evidence", "as_of", "known_at", "fields")


class Explaining(Asking):
    """Explanations for one reader."""

    @cached_property
    def _explainer(self) -> Explainer:
        return Explainer(self._names, self._describer, self._answerer, self.questions[TEMPLATE], self.settings.max_query_length)

    def explain(
        self,
        id: str,
        reader: Reader,
        *,
        to: str | None = None,
        change: str | None = None,
        slice: str | dict[str, Any] | None = None,
        k: int | str = 3,
        language: str | None = None,
        **given: Any,
    ) -> Answer:
        """Why the verdict on `to` is what it is, or by which ways one thing rests on the other.

        With `id` a change, or an object to which `change` is supposed to happen, the verdict on `to` is explained. With two
        objects and no change it is told how they are linked, whichever came first. With one object alone, the worst that an
        announced change does to it is explained. `k` paths are given, the best first; `language` is that of the sentence.

        Raises `NotFound` for what this reader may not see, and `BadParameter` where the question makes no sense.
        """
        for name in given:
            if name not in _TAKEN:
                raise BadParameter(f"There is no parameter '{name}' here.", parameter=name)
        said = {"to": to, "change": change, "slice": slice, "k": None if k == 3 else k, "language": language, **given}
        direction = given.get("direction")
        asked = self._asked(given, "downstream", reader)
        iri, sight = self._seen(id, asked, reader)
        target = self._seen(to, asked, reader)[0] if to else None
        notices = self._answerer.notices
        notice = notices.notice(iri, sight)
        if target is None:
            if notice is not None or change is not None:
                raise BadParameter(
                    "to is missing: whose verdict is to be explained?",
                    parameter="to",
                    remedy="Name one of the things that 'impact' lists for this change.",
                )
            target, notice = iri, self._worst(iri, sight)
            iri = notice.iri
        elif notices.notice(target, sight) is not None:
            raise BadParameter(f"<{target}> is a change.", parameter="to", remedy="Give the change as id, and the thing as to.")
        meant, occasion, not_yet = None, None, False
        if notice is not None or change is not None:
            meant = notices.meant(iri, sight, change, slice)
            day = None if notice is None or notice.at is None else notice.at[:10]
            occasion = Occasion(meant.kind, day, supposed=notice is None)
            not_yet = notice is not None and notice.later_than(sight.as_of)
            if asked.direction != "downstream":
                raise BadParameter("direction: a change goes downstream", parameter="direction")
        elif slice is not None:
            raise BadParameter("slice: says which part changed; name the change, too", parameter="slice")
        wanted = Wanted(iri, target, meant, occasion, read_k(k), asked, direction, spoken(language), not_yet)
        body = self._explainer.explain(wanted, sight, reader, self.sequence)
        body["nodes"] = {
            node: {name: value for name, value in words.items() if name in asked.fields} for node, words in body["nodes"].items()
        }
        return linked(body, "explain", id, said)

    def _worst(self, iri: str, sight: Sight) -> Notice:
        """The announced change that does most to a thing. Raises `BadParameter` where none reaches it."""
        standing = [one for one in self._answerer.standing(iri, sight, self.sequence) if not one.itself]
        if not standing:
            raise BadParameter(
                f"No announced change reaches <{iri}>.",
                parameter="to",
                remedy="Name a second thing with to=, or suppose a change of something upstream with change=.",
            )
        return min(standing, key=lambda one: (STATES.index(one.state), SEVERITIES.index(one.severity), one.notice.iri)).notice
