"""A validation as JUnit XML, which Jenkins, GitLab, GitHub actions and most CI pages show as a table of tests.

A record is a test of the gate, and so is each requirement of a profile for each object. What must be there and is not is a
failure, what only should be there is a skipped test, a source that cannot be read is an error.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from headwater.cli.import_report import sentences
from headwater.cli.validate_report import gap_text, nothing_judged

_NOT_IN_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def junit(whole: Mapping[str, Any]) -> bytes:
    """The report as one `testsuites` document in UTF-8.

    >>> empty = {"conforms": True, "profile": None, "language": "en", "sources": [], "objects": []}
    >>> junit(empty).splitlines()[1]
    b'<testsuites name="headwater validate" tests="0" failures="0" errors="0" skipped="0" />'
    """
    root = Element("testsuites", name="headwater validate")
    suites = [_gate_suite(root, source) for source in whole["sources"]]
    by_source: dict[str, list[Mapping[str, Any]]] = {}
    for told in whole["objects"]:
        by_source.setdefault(told["source"] or "stored objects", []).append(told)
    suites += [_profile_suite(root, source, objects) for source, objects in by_source.items()]
    if whole["profile"] and not whole["objects"]:
        suite = SubElement(root, "testsuite", name=str(whole["profile"]))
        SubElement(_case(suite, whole["profile"], "judges something"), "failure", message=nothing_judged(whole), type="profile")
        suites.append(suite)
    for suite in suites:
        _count(suite, suite.iter("testcase"))
    _count(root, root.iter("testcase"))
    indent(root)
    return b'<?xml version="1.0" encoding="UTF-8"?>\n' + tostring(root, encoding="unicode").encode("utf-8", "replace") + b"\n"


def _gate_suite(root: Element, source: Mapping[str, Any]) -> Element:
    suite = SubElement(root, "testsuite", name=_clean(source["source"]))
    for failure in source["failures"]:
        where = f"{failure['source']}:{failure['line']}" if failure.get("line") is not None else str(failure["source"])
        case = _case(suite, "reading", where)
        error = SubElement(case, "error", message=_clean(failure["message"]), type="unreadable")
        error.text = _clean(f"{failure['message']}\n{failure.get('remedy') or ''}")
    for record in source["records"]:
        case = _case(suite, "gate", f"{record['title']} <{record['iri']}>")
        found = sentences(record)
        if record["status"] == "rejected":
            failed = SubElement(case, "failure", message=_clean(found[0] if found else "rejected"), type="gate")
            failed.text = _clean("\n".join(found))
        hints = [one for one in (record.get("gate") or {}).get("results", ()) if one["severity"] != "violation"]
        if hints:
            out = SubElement(case, "system-out")
            out.text = _clean("\n".join(f"{one['severity']}: <{one['focus']}>: {one['message']}" for one in hints))
    return suite


def _profile_suite(root: Element, source: str, objects: Iterable[Mapping[str, Any]]) -> Element:
    suite = SubElement(root, "testsuite", name=_clean(source))
    for told in objects:
        name = told["label"] or told["focus"]
        for met in told["met"]:
            _case(suite, told["profile"], f"{name}: {met['name']}")
        for gap in told["missing"]:
            case = _case(suite, told["profile"], f"{name}: {gap['name']}")
            text = _clean(f"<{told['focus']}>: {gap_text(gap)}")
            if gap["severity"] == "violation":
                SubElement(case, "failure", message=text, type=_clean(told["profile"])).text = text
            else:
                SubElement(case, "skipped", message=text)
        if told["lost_next"]:
            case = _case(suite, told["profile"], f"{name}: {told['title']}")
            lines = [f"would be lost next: {gap_text(gap)}" for gap in told["lost_next"]]
            SubElement(case, "system-out").text = _clean("\n".join(lines))
    return suite


def _case(suite: Element, group: object, name: object) -> Element:
    return SubElement(suite, "testcase", classname=f"headwater.{_clean(group)}", name=_clean(name), time="0")


def _count(element: Element, cases: Iterable[Element]) -> None:
    found = list(cases)
    element.set("tests", str(len(found)))
    for plural, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        element.set(plural, str(sum(case.find(tag) is not None for case in found)))


def _clean(text: object) -> str:
    """Text without what XML 1.0 cannot hold, so that no label from a file breaks the report."""
    return _NOT_IN_XML.sub("\ufffd", str(text))
