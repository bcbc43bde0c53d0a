"""The energy that a run used, where its source says it beyond doubt: total electric energy, in a unit that is stated or known.

CodeCarbon logs `energy_consumed` in kilowatt hours, the sum over processors, graphics cards and memory. Other names count where
they end in a unit of energy and say nothing of a part (one device, one epoch, one sample). Power in watts is not energy: MLflow's
system metrics hold it for the graphics cards alone, so nothing is made of it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from typing import Final

IN_A_KILOWATT_HOUR: Final[dict[str, float]] = {
    "kwh": 1,
    "kilow-hr": 1,
    "kilowatthour": 1,
    "wh": 1e3,
    "whr": 1e3,
    "w-hr": 1e3,
    "watthour": 1e3,
    "j": 3.6e6,
    "jou": 3.6e6,
    "joule": 3.6e6,
    "joules": 3.6e6,
    "kj": 3.6e3,
    "kjo": 3.6e3,
    "kiloj": 3.6e3,
}
"""How much of a unit makes one, for units of energy as people, UN/CEFACT and QUDT write them, in lower case.

mWh and MWh are one word then, so neither is here."""
_CODECARBON: Final = "energy_consumed"
_SAID_AFTER: Final = ("consumed", "consumption", "used", "usage", "total")
_TOTAL: Final = re.compile(r"(?:total_)?energy(?:_(?:consumed|consumption|used|usage|total))?_(kwh|wh|joules?|kj|j)")


def of_metrics(metrics: Iterable[tuple[str, Sequence[tuple[int, float, int]]]]) -> float | None:
    """Kilowatt hours from a run's metrics: name, and points in order. None where none tells, or several disagree.

    A history counts where it never falls: CodeCarbon logs what was used so far. Other histories may be shares of an epoch each.

    >>> of_metrics([("energy_consumed", [(0, 0.1, 0), (1, 0.3, 0)]), ("cpu_energy", [(0, 9.0, 0)])])
    0.3
    >>> of_metrics([("energy_kwh", [(0, 0.1, 0), (1, 0.3, 0)])]) is None
    True
    """
    found = set()
    for name, points in metrics:
        values = [value for _, value, _ in points]
        plain = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_").removeprefix("codecarbon_").removeprefix("emissions_")
        total = _TOTAL.fullmatch(plain)
        if not values or not all(math.isfinite(value) and value >= 0 for value in values):
            continue
        if plain == _CODECARBON and values == sorted(values):
            found.add(values[-1])
        elif total is not None and len(values) == 1:
            found.add(values[0] / IN_A_KILOWATT_HOUR[total[1]])
    return found.pop() if len(found) == 1 else None


def of_quantity(name: str, value: float, unit: str | None) -> float | None:
    """Kilowatt hours from one quantity with its unit (a word, or the IRI or code of one); None for anything but total energy.

    >>> of_quantity("energyConsumption", 3.6e6, "http://qudt.org/vocab/unit/J"), of_quantity("cpuEnergy", 1.0, "kWh")
    (1.0, None)
    """
    word = re.split(r"[/#:]", unit or "")[-1].lower().strip()
    plain = re.sub(r"[^a-z]+", "", name.lower())
    if word not in IN_A_KILOWATT_HOUR or not math.isfinite(value) or value < 0:
        return None
    if plain not in {f"{before}energy{after}" for before in ("", "total", "used") for after in ("", *_SAID_AFTER)}:
        return None
    return value / IN_A_KILOWATT_HOUR[word]
