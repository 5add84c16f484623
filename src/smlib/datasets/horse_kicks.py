"""Horse kicks: how many soldiers of the Prussian army died of one, corps by corps and year by year.

In 1898 the economist Ladislaus von Bortkiewicz published a small book on events that are rare and have many occasions:
suicides of children, accidents at work, and soldiers killed by the kick of a horse. The army had counted these, corps
by corps, for twenty years. Of 280 numbers 144 are 0, and none is above 4; and each of them stands there about as often
as chance alone would have put it there. It became the example of Poisson's distribution.

Bortkiewicz left out four corps that were made up in another way: the guards, and the first, sixth and eleventh. Of the
ten that remain there are 122 deaths in 200 corps-years.

Bortkiewicz, *Das Gesetz der kleinen Zahlen* (Teubner, 1898), section 12; Andrews & Herzberg, *Data*, chapter 4.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

YEARS = range(1875, 1895)

# A row a corps, from 1875 to 1894.
TABLE = """
G     0 2 2 1 0 0 1 1 0 3 0 2 1 0 0 1 0 1 0 1
I     0 0 0 2 0 3 0 2 0 0 0 1 1 1 0 2 0 3 1 0
II    0 0 0 2 0 2 0 0 1 1 0 0 2 1 1 0 0 2 0 0
III   0 0 0 1 1 1 2 0 2 0 0 0 1 0 1 2 1 0 0 0
IV    0 1 0 1 1 1 1 0 0 0 0 1 0 0 0 0 1 1 0 0
V     0 0 0 0 2 1 0 0 1 0 0 1 0 1 1 1 1 1 1 0
VI    0 0 1 0 2 0 0 1 2 0 1 1 3 1 1 1 0 3 0 0
VII   1 0 1 0 0 0 1 0 1 1 0 0 2 0 0 2 1 0 2 0
VIII  1 0 0 0 1 0 0 1 0 0 0 0 1 0 0 0 1 1 0 1
IX    0 0 0 0 0 2 1 1 1 0 2 1 1 0 1 2 0 1 0 0
X     0 0 1 1 0 1 0 2 0 2 0 0 0 0 2 1 3 0 1 1
XI    0 0 0 0 2 4 0 1 3 0 1 1 1 1 2 1 3 1 3 1
XIV   1 1 2 1 1 3 0 4 0 1 0 3 2 1 0 2 1 1 0 0
XV    0 1 0 0 0 0 0 1 0 1 1 0 0 0 2 2 0 0 0 0
"""

# The corps that Bortkiewicz left out in the end; G are the guards.
LEFT_OUT = ("G", "I", "VI", "XI")


class HorseKicks(NamedTuple):
    """Deaths by the kick of a horse.

    Attributes
    ----------
    corps : tuple of str
        The numbers of the corps; "G" are the guards.
    years : tuple of int
    deaths : ndarray of int, shape (corps, years)
    """

    corps: tuple[str, ...]
    years: tuple[int, ...]
    deaths: NDArray[np.int64]


def horse_kicks(*, all_corps: bool = True) -> HorseKicks:
    """Return Bortkiewicz' table.

    Parameters
    ----------
    all_corps : bool
        All fourteen; or else the ten that he kept.

    Returns
    -------
    HorseKicks
        The array is a new one at each call.

    Examples
    --------
    >>> kicks = horse_kicks()
    >>> kicks.deaths.shape, kicks.deaths.sum(), np.bincount(kicks.deaths.ravel())
    ((14, 20), np.int64(196), array([144,  91,  32,  11,   2]))
    >>> np.bincount(horse_kicks(all_corps=False).deaths.ravel())
    array([109,  65,  22,   3,   1])
    """
    rows = [line.split() for line in TABLE.strip().splitlines()]
    rows = [row for row in rows if all_corps or row[0] not in LEFT_OUT]
    return HorseKicks(tuple(row[0] for row in rows), tuple(YEARS), np.array([row[1:] for row in rows], dtype=np.int64))
