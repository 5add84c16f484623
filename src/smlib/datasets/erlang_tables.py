"""Tables of Erlang's loss formula: how it was looked up before it could be computed.

Who planned a telephone exchange looked for the share of calls that may be lost, went down that column to the load that
is expected, and read off how many lines it takes. Printed is therefore the *largest load* at which n lines lose no more
than that share::

    B(load, lines) = blocking                    of 100 calls that find 5 lines, 1 is lost at a load of 1.36 erlang

Of the first table below all 144 numbers are what the formula says, rounded; of the second 32 of 36, and the others are
off by one in the last digit, for tables were copied from tables by hand.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

COLLINS_PERCENT = "0.01 0.05 0.1 0.2 0.3 0.4 0.5 0.6 0.7 0.8 0.9 1.0 2.0 3.0 4.0 5.0"
COLLINS_LOADS = """
0.0 0.0 0.0 0.0 0.0 0.0 0.0 0.0 0.0 0.0 0.0 0.0 0.0 0.0 0.0 0.1
0.0 0.0 0.0 0.1 0.1 0.1 0.1 0.1 0.1 0.1 0.1 0.2 0.2 0.3 0.3 0.4
0.1 0.2 0.2 0.2 0.3 0.3 0.3 0.4 0.4 0.4 0.4 0.5 0.6 0.7 0.8 0.9
0.2 0.4 0.4 0.5 0.6 0.7 0.7 0.7 0.8 0.8 0.8 0.9 1.1 1.3 1.4 1.5
0.5 0.6 0.8 0.9 1.0 1.1 1.1 1.2 1.2 1.3 1.3 1.4 1.7 1.9 2.1 2.2
0.7 1.0 1.1 1.3 1.4 1.5 1.6 1.7 1.8 1.8 1.9 1.9 2.3 2.5 2.8 3.0
1.1 1.4 1.6 1.8 1.9 2.1 2.2 2.2 2.3 2.4 2.4 2.5 2.9 3.2 3.5 3.7
1.4 1.8 2.1 2.3 2.5 2.6 2.7 2.8 2.9 3.0 3.1 3.1 3.6 4.0 4.3 4.5
1.8 2.3 2.6 2.9 3.1 3.2 3.3 3.4 3.5 3.6 3.7 3.8 4.3 4.7 5.1 5.4
"""

RAPPAPORT_LINES = "2 4 5 10 20 24 40 70 100"
RAPPAPORT_PERCENT = "1 0.5 0.2 0.1"
RAPPAPORT_LOADS = """
0.153 0.105 0.065 0.046
0.869 0.701 0.535 0.439
1.36 1.13 0.900 0.762
4.46 3.96 3.43 3.09
12.0 11.1 10.1 9.41
15.3 14.2 13.0 12.2
29.0 27.3 25.7 24.5
56.1 53.7 51.0 49.2
84.1 80.9 77.4 75.2
"""


class ErlangTable(NamedTuple):
    """A table as it was printed.

    Attributes
    ----------
    lines : ndarray of int, shape (rows,)
    blocking : ndarray, shape (columns,)
        The share of calls that is lost.
    loads : ndarray, shape (rows, columns)
        In erlang, as printed.
    units : ndarray, shape (rows, columns)
        One in the last digit that is printed.
    source : str
    """

    lines: NDArray[np.int64]
    blocking: NDArray[np.float64]
    loads: NDArray[np.float64]
    units: NDArray[np.float64]
    source: str


def printed_tables() -> tuple[ErlangTable, ErlangTable]:
    """Return two printed tables of Erlang's loss formula.

    Returns
    -------
    tuple of ErlangTable
        1 to 9 lines at sixteen shares from 0.01 to 5 %; and 2 to 100 lines at four shares from 1 to 0.1 %.

    References
    ----------
    Collins, *Carrier Grade Voice over IP* (2nd edition), appendix A, its first nine rows; Rappaport, *Wireless
    Communications: Principles and Practice* (2nd edition), table 3.4.

    Examples
    --------
    >>> first, second = printed_tables()
    >>> first.loads.shape, second.loads.shape
    ((9, 16), (9, 4))
    >>> int(second.lines[3]), float(second.loads[3, 0]), float(second.units[3, 0])
    (10, 4.46, 0.01)
    """
    return (
        _read(" ".join(map(str, range(1, 10))), COLLINS_PERCENT, COLLINS_LOADS, "Collins, appendix A"),
        _read(RAPPAPORT_LINES, RAPPAPORT_PERCENT, RAPPAPORT_LOADS, "Rappaport, table 3.4"),
    )


def _read(lines: str, percent: str, loads: str, source: str) -> ErlangTable:
    rows, columns = np.array(lines.split(), dtype=np.int64), np.array(percent.split(), dtype=float)
    entries, shape = loads.split(), (rows.size, columns.size)
    units = [10.0 ** -len(entry.partition(".")[2]) for entry in entries]
    return ErlangTable(
        rows, columns / 100.0, np.array(entries, dtype=float).reshape(shape), np.reshape(units, shape), source
    )
