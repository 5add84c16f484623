"""Tables of Erlang's loss formula: how it was looked up before it could be computed, misprints included.

Who planned a telephone exchange looked for the share of calls that may be lost, went down that column to the load that
is expected, and read off how many lines it takes. Printed is therefore the *largest load* at which n lines lose no more
than that share::

    B(load, lines) = blocking                    of 100 calls that find 5 lines, 2 are lost at a load of 1.657 erlang

Tables were copied by hand from tables. Of the 45 numbers for 2 % below, as they have come down to us, seven are not
what the formula says: here and there a digit has changed.
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

LUCENT_LOADS = """
 0.020  0.602  1.657  2.935  4.345  5.842  7.402  9.010 10.656 12.333 14.036 15.761 17.505 19.265 21.039
22.827 24.628 26.435 28.254 30.081 31.915 33.758 35.507 37.462 39.323 41.189 43.060 44.938 46.816 48.700
50.389 52.461 54.376 56.275 58.117 60.082 61.990 63.900 65.814 67.729 69.647 71.568 73.490 75.415 77.342
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
    decimals : int
        To how many of them.
    source : str
    """

    lines: NDArray[np.int64]
    blocking: NDArray[np.float64]
    loads: NDArray[np.float64]
    decimals: int
    source: str


def printed_tables() -> tuple[ErlangTable, ErlangTable]:
    """Return two printed tables of Erlang's loss formula, the first one without misprints.

    Returns
    -------
    tuple of ErlangTable
        1 to 9 lines at sixteen shares from 0.01 to 5 %, and the odd numbers of lines from 1 to 89 at 2 %.

    References
    ----------
    Collins, *Carrier Grade Voice over IP* (2nd edition), appendix A, its first nine rows; Lucent Technologies,
    "Erlang-B capacity table", of the course WirelessU, *Traffic Engineering*, as G. Wagoner keeps it on
    garywagoner.tripod.com.

    Examples
    --------
    >>> first, second = printed_tables()
    >>> first.loads.shape, second.loads.shape
    ((9, 16), (45, 1))
    >>> int(second.lines[2]), float(second.loads[2, 0])
    (5, 1.657)
    """
    fine = np.array(LUCENT_LOADS.split(), dtype=float)[:, np.newaxis]
    shares = np.array(COLLINS_PERCENT.split(), dtype=float) / 100.0
    coarse = np.array(COLLINS_LOADS.split(), dtype=float).reshape(9, 16)
    return (
        ErlangTable(np.arange(1, 10), shares, coarse, 1, "Collins, appendix A"),
        ErlangTable(np.arange(1, 90, 2), np.array([0.02]), fine, 3, "Lucent Technologies, WirelessU"),
    )
