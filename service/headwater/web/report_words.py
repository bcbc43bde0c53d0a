"""The words of the yearly report's page, in English and German, and how it writes numbers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

WORDS: Final[Mapping[str, Mapping[str, str]]] = {
    "en": {
        "title": "Yearly report",
        "lead": "Who used it, what came of it, and what its improvements bought",
        "thing": "Data set, program, instrument or project",
        "year": "Year",
        "show": "Show",
        "print": "To print, use your browser's print command; it leaves out forms and links.",
        "in_short": "The year in short",
        "new": "new in the year",
        "before": "from before",
        "undated": "of unknown time",
        "people": "people and groups",
        "first_time": "for the first time",
        "returning": "had used it before",
        "only_before": "used it before, not in this year",
        "publication": "papers",
        "model": "models",
        "deployment": "deployments",
        "dataset": "data sets",
        "software": "programs",
        "hours": "computing time",
        "so_far": "The year is not over: this is what has been recorded so far.",
        "who": "Who used it",
        "nobody": "Nobody is recorded as having used it in this year.",
        "unnamed": "of the {of} runs of the year name nobody who ran them.",
        "came": "What came of it in the year",
        "nothing": "Nothing new is recorded for this year.",
        "more": "and {n} more, in the CSV",
        "kind": "Kind",
        "how": "How many, by kind and time",
        "effort": "Computing time and energy",
        "effort_words": (
            "What others spent on it, as far as their runs record it. Nothing is estimated for runs that record nothing."
        ),
        "in_year": "Runs that ended in the year",
        "until": "All runs until its end",
        "runs": "Runs",
        "time": "Time",
        "energy": "Energy",
        "unknown": "not recorded",
        "for_runs": "recorded for {n} of {of}",
        "undated_runs": "Runs that record neither beginning nor end, and so belong to no year:",
        "improvements": "Improvements taken up",
        "from": "From",
        "to": "To",
        "adopted": "Taken up in the year",
        "adopted_before": "Before",
        "no_steps": "No revision of it is recorded, so there is no improvement to take up.",
        "bought": "What they bought",
        "bought_words": (
            "Differences between pairs of runs in which only this input's revision differs, as known at the end of the year."
        ),
        "metric": "Metric",
        "higher": "higher is better",
        "lower": "lower is better",
        "direction_unknown": "which way is better is not known",
        "mean": "Mean difference",
        "spread": "Spread (sd; least to most)",
        "interval": "95 % interval",
        "pairs": "Pairs",
        "confounded": "further pairs differ in something else as well; nothing is claimed from them.",
        "no_pairs": "No two runs are known that differ in the revision only and share a metric.",
        "old": "Still on an older revision",
        "old_words": "What rests on this revision and on no later one. What was made anew from a later one is not counted here.",
        "revision": "Revision",
        "users": "Direct users",
        "downstream": "All that rests on it",
        "still": "Still on it",
        "credit": "Its share in what came",
        "credit_words": (
            "Each paper, model and deployment has one unit of credit, handed upstream by the roles of what went into it: "
            "the shares of all that it rests on add up to 1."
        ),
        "result": "Result",
        "share": "Share",
        "sum": "Sum of shares",
        "results": "Results",
        "complete": "This report is complete as far as the records go.",
        "incomplete": "This report is not complete:",
        "hidden": "some things are hidden from you ({n})",
        "depth": "the walk was cut",
        "max_nodes": "lists were cut",
        "min_evidence": "links with weaker evidence were left out",
        "undescribed": "some things are only named by others and not described",
        "undated_reason": "of some things the time is not known",
        "coverage": "Coverage {n} %: how fully the records say what came from what.",
        "told": "Told as it was at the end of",
        "made": "Made from ledger entry",
    },
    "de": {
        "title": "Jahresbericht",
        "lead": "Wer damit gearbeitet hat, was daraus wurde und was Verbesserungen gebracht haben",
        "thing": "Datensatz, Programm, Instrument oder Projekt",
        "year": "Jahr",
        "show": "Zeigen",
        "print": "Zum Drucken die Druckfunktion des Browsers nehmen; Formulare und Verweise fallen dabei weg.",
        "in_short": "Das Jahr in Kürze",
        "new": "neu im Jahr",
        "before": "von früher",
        "undated": "ohne bekannte Zeit",
        "people": "Personen und Gruppen",
        "first_time": "zum ersten Mal",
        "returning": "hatten schon früher damit gearbeitet",
        "only_before": "arbeiteten früher damit, in diesem Jahr nicht",
        "publication": "Veröffentlichungen",
        "model": "Modelle",
        "deployment": "Einsätze",
        "dataset": "Datensätze",
        "software": "Programme",
        "hours": "Rechenzeit",
        "so_far": "Das Jahr ist noch nicht zu Ende: Dies ist, was bisher verzeichnet ist.",
        "who": "Wer damit gearbeitet hat",
        "nobody": "Für dieses Jahr ist niemand verzeichnet.",
        "unnamed": "der {of} Läufe des Jahres nennen niemanden.",
        "came": "Was in dem Jahr daraus wurde",
        "nothing": "Für dieses Jahr ist nichts Neues verzeichnet.",
        "more": "und {n} weitere, in der CSV-Datei",
        "kind": "Art",
        "how": "Wie viel, nach Art und Zeit",
        "effort": "Rechenzeit und Energie",
        "effort_words": (
            "Was andere dafür aufgewendet haben, soweit ihre Läufe es verzeichnen. Für die übrigen wird nichts geschätzt."
        ),
        "in_year": "Läufe, die in dem Jahr endeten",
        "until": "Alle Läufe bis zu seinem Ende",
        "runs": "Läufe",
        "time": "Zeit",
        "energy": "Energie",
        "unknown": "nicht verzeichnet",
        "for_runs": "verzeichnet für {n} von {of}",
        "undated_runs": "Läufe, die weder Anfang noch Ende verzeichnen und deshalb zu keinem Jahr gehören:",
        "improvements": "Übernommene Verbesserungen",
        "from": "Von",
        "to": "Zu",
        "adopted": "In dem Jahr übernommen",
        "adopted_before": "Vorher",
        "no_steps": "Es ist keine überarbeitete Fassung verzeichnet, die man hätte übernehmen können.",
        "bought": "Was sie gebracht haben",
        "bought_words": (
            "Unterschiede zwischen Paaren von Läufen, die sich nur in der Fassung dieser Eingabe unterscheiden, Stand Jahresende."
        ),
        "metric": "Maß",
        "higher": "mehr ist besser",
        "lower": "weniger ist besser",
        "direction_unknown": "welche Richtung besser ist, ist nicht bekannt",
        "mean": "Mittlerer Unterschied",
        "spread": "Streuung (Standardabweichung; kleinster bis größter)",
        "interval": "95-%-Intervall",
        "pairs": "Paare",
        "confounded": "weitere Paare unterscheiden sich auch in anderem; aus ihnen wird nichts gefolgert.",
        "no_pairs": "Es sind keine zwei Läufe bekannt, die sich nur in der Fassung unterscheiden und ein Maß gemeinsam haben.",
        "old": "Noch auf einer älteren Fassung",
        "old_words": (
            "Was auf dieser Fassung beruht und auf keiner späteren. Was aus einer späteren neu gemacht wurde, zählt hier nicht."
        ),
        "revision": "Fassung",
        "users": "Unmittelbar",
        "downstream": "Alles, was darauf beruht",
        "still": "Noch darauf",
        "credit": "Der Anteil an dem, was entstand",
        "credit_words": (
            "Jede Veröffentlichung, jedes Modell und jeder Einsatz hat eine Einheit Anerkennung, die nach den Rollen dessen, was "
            "hineinging, stromaufwärts weitergegeben wird; die Anteile von allem, worauf es beruht, ergeben zusammen 1."
        ),
        "result": "Ergebnis",
        "share": "Anteil",
        "sum": "Summe der Anteile",
        "results": "Ergebnisse",
        "complete": "Dieser Bericht ist vollständig, soweit die Aufzeichnungen reichen.",
        "incomplete": "Dieser Bericht ist nicht vollständig:",
        "hidden": "einiges ist für Sie nicht sichtbar ({n})",
        "depth": "der Weg wurde gekürzt",
        "max_nodes": "Listen wurden gekürzt",
        "min_evidence": "schwächer belegte Verbindungen blieben außer Betracht",
        "undescribed": "einiges wird nur von anderen genannt und nicht selbst beschrieben",
        "undated_reason": "von einigem ist die Zeit nicht bekannt",
        "coverage": "Abdeckung {n} %: wie vollständig die Aufzeichnungen sagen, was woraus entstand.",
        "told": "Erzählt wie am Ende von",
        "made": "Aus dem Hauptbuch bis Eintrag",
    },
}


def span(hours: float) -> str:
    """A time of computing with three significant digits, in the unit that suits it; the units read alike in both languages.

    >>> [span(hours) for hours in (0.0064, 0.5, 41.52, 12345.6)]
    ['23 s', '30 min', '41.5 h', '12\\u202f346 h']
    """
    if hours >= 1000:
        return f"{hours:,.0f} h".replace(",", "\u202f")
    for size, unit in ((1.0, "h"), (1 / 60, "min")):
        if hours >= size:
            return f"{hours / size:.3g} {unit}"
    return f"{hours * 3600:.3g} s"
