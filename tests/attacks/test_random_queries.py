"""Random and damaged queries: each answer is what a plain store says of what the reader may see, and nobody else waits for it."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from random import Random

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from headwater.app import Headwater
from headwater.settings import load
from tests.attacks.conftest import Service
from tests.attacks.grammar import damaged, query
from tests.attacks.judge import Judge, bag, comparable

pytestmark = pytest.mark.server
PROPER = {200, 400, 413, 422, 503}
PUBLIC = {
    "urn:t:graph": "".join(f"<urn:t:s{n}> <urn:t:p> <urn:t:s{n // 2}> .\n" for n in range(12)),
    "urn:t:graph2": "<urn:t:s1> <urn:t:q> 'x'@en, 'x', 7 . <urn:t:s2> a <urn:t:C> ; <urn:t:p> true, 3.5 .",
}
HIDDEN = {
    "urn:t:hidden": "<urn:t:s1> <urn:t:p> <urn:h:secret1>, 'secretword', 987654 . <urn:h:secret2> <urn:h:secretp> <urn:t:s1> .",
}
SECRETS = (b"secret", b"987654")


@dataclass
class Levels:
    """A service with public and internal records, and what each of two readers should be told."""

    service: Service
    readers: dict[str, tuple[dict[str, str], Judge]]
    statuses: Counter[int] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)

    def judged(self, client: httpx.Client, text: str, reader: str = "stranger") -> None:
        """Ask as a reader, and note what is amiss."""
        headers, judge = self.readers[reader]
        accept = "application/sparql-results+json, application/n-triples;q=0.9"
        try:
            answer = client.post(f"{self.service.url}/sparql", data={"query": text}, headers={**headers, "Accept": accept})
        except httpx.RemoteProtocolError:
            # Too large or too slow after its beginning: it breaks off, and nobody takes the part for the whole.
            self.statuses[0] += 1
            return
        self.statuses[answer.status_code] += 1
        fault = self._fault(answer, text, reader, judge)
        if fault:
            self.faults.append(f"{fault} to {reader}: {text} -> {answer.status_code} {answer.text[:500]}")

    def _fault(self, answer: httpx.Response, text: str, reader: str, judge: Judge) -> str:
        status = answer.status_code
        if status not in PROPER:
            return "an improper answer"
        if reader == "stranger" and any(secret in answer.content for secret in SECRETS):
            return "a hidden statement"
        if status != 200:
            told = json.loads(answer.content)
            if not {"title", "detail", "remedy", "status"} <= told.keys():
                return "no proper problem"
        if status not in (200, 400) or not comparable(text):
            return ""
        could, expected = judge.answers(text)
        if could != (status == 200):
            return "an answer to what is no query, or none to what is one"
        return "another answer" if could and expected != bag(answer.content, text) else ""

    def stand(self, texts: list[str]) -> None:
        """Ask all of them, four at a time, while somebody else asks as well; fails with what was amiss."""
        readers = list(self.readers)
        done = threading.Event()
        waits: list[float] = []

        def bystander() -> None:
            with httpx.Client(timeout=30) as other:
                while not done.wait(0.2):
                    began = time.monotonic()
                    for answer in (
                        other.post(f"{self.service.url}/sparql", data={"query": f"ASK {{}} # {began}"}),
                        other.get(f"{self.service.url}/health/ready"),
                    ):
                        if answer.status_code != 200:
                            self.faults.append(f"somebody else was answered by {answer.status_code}: {answer.text}")
                    waits.append(time.monotonic() - began)

        thread = threading.Thread(target=bystander)
        thread.start()
        with httpx.Client(timeout=60) as client, ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda one: self.judged(client, one[1], readers[one[0] % 2]), enumerate(texts)))
        done.set()
        thread.join()
        assert self.faults == []
        assert max(waits) < 15


@pytest.fixture(scope="module")
def levels(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Levels]:
    """The service, with a token for who may write and one for who only reads."""
    data = tmp_path_factory.mktemp("levels") / "data"
    with Headwater.open(load(data=data)) as headwater:
        writer, member = headwater.tokens.create("writer", "write"), headwater.tokens.create("member", "read")
    service = Service(data, QUERY_TIMEOUT_S="1", REQUESTS_PER_MINUTE="0")
    service.start()
    try:
        for visibility, graphs in (("public", PUBLIC), ("internal", HIDDEN)):
            for name, text in graphs.items():
                written = httpx.put(
                    f"{service.url}/sparql/store",
                    params={"graph": name, "visibility": visibility},
                    content=text,
                    headers={"Content-Type": "text/turtle", "Authorization": f"Bearer {writer}"},
                    timeout=60,
                )
                assert written.status_code == 201, written.text
        base = f"{service.url}/sparql"
        yield Levels(
            service,
            {
                "stranger": ({}, Judge(PUBLIC, base)),
                "member": ({"Authorization": f"Bearer {member}"}, Judge({**PUBLIC, **HIDDEN}, base)),
            },
        )
    finally:
        service.stop()


def _texts(seed: int, number: int) -> list[str]:
    """Half of them as the grammar has them, half damaged; one in ten asks for lineage."""
    random = Random(seed)
    whole = [query(random, lineage=n % 10 == 0) for n in range(number)]
    return [text if n % 4 < 2 else damaged(random, text) for n, text in enumerate(whole)]


def test_what_the_judge_knows_is_what_is_there(levels: Levels) -> None:
    with httpx.Client(timeout=60) as client:
        for reader in levels.readers:
            for text in ("SELECT * { ?s ?p ?o }", "SELECT * { GRAPH ?g { ?s ?p ?o } }", "CONSTRUCT { ?s ?p ?o } { ?s ?p ?o }"):
                levels.judged(client, text, reader)
    assert levels.faults == []


def test_random_and_damaged_queries_are_answered_as_a_plain_store_answers_them(levels: Levels) -> None:
    levels.stand(_texts(20261120, 600))
    assert levels.statuses[200] > 200
    assert levels.statuses[400] > 100
    assert "unexpected error" not in levels.service.log
    levels.service.alive()


@pytest.mark.attacks
def test_ten_thousand_random_and_damaged_queries_are_answered_as_a_plain_store_answers_them(levels: Levels) -> None:
    levels.stand(_texts(4, 10_000))
    assert levels.statuses[200] > 4000
    assert "unexpected error" not in levels.service.log
    levels.service.alive()


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.randoms(use_true_random=False), st.booleans(), st.sampled_from(["stranger", "member"]))
def test_whatever_the_grammar_allows_is_answered_as_a_plain_store_answers_it(
    levels: Levels, random: Random, harmed: bool, reader: str
) -> None:
    text = query(random)
    with httpx.Client(timeout=60) as client:
        levels.judged(client, damaged(random, text) if harmed else text, reader)
    assert levels.faults == []


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.text(max_size=300)
    | st.lists(st.sampled_from((*"{}()<>?'\"\\#;.:@^|*/!", "SELECT ", "ASK ", "a", "\n")), max_size=60).map("".join)
)
def test_any_text_at_all_gets_a_proper_answer(levels: Levels, text: str) -> None:
    with httpx.Client(timeout=60) as client:
        levels.judged(client, text.encode("utf-8", "replace").decode())
    assert levels.faults == []
