"""From counts to code lengths, and from code lengths to code words.

Two queues suffice. The symbols wait in one, sorted by count; the pairs wait in the other, in the order in which they
were made, which is the order of their counts too, for each is at least as heavy as the one before. The two lightest
are always at the heads of the queues.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from smlib._core.kernel import kernel
from smlib._core.validate import Vector, as_count, as_floats, require_finite
from smlib.errors import InputError

Lengths = NDArray[np.uint8]
Codes = NDArray[np.uint64]
Integers = NDArray[np.int64]

# The longest code word that fits the coders' 64-bit buffers, with up to 7 bits of the byte before.
LONGEST = 57


def huffman_code_lengths(counts: ArrayLike, max_length: int | None = None) -> Lengths:
    """Return the lengths of the code words of an optimal prefix code.

    Parameters
    ----------
    counts : array_like, shape (n,)
        How often each symbol occurs, or its probability: finite and not negative. A symbol with count 0 gets no word.
    max_length : int, optional
        No word is longer: then the code is the best of those. At least ``log2`` of the number of symbols that occur.

    Returns
    -------
    ndarray of uint8, shape (n,)
        In bits; 0 for symbols that do not occur. A symbol that is alone gets 1 bit.

    Raises
    ------
    InputError
        Negative, NaN or infinite counts; a ``max_length`` that is too small, or above 57; counts so uneven that a word
        would be longer than 57 bits (the message says how to limit it).

    Notes
    -----
    Complexity: O(n log n) time; O(n max_length) time and space with a limit.

    References
    ----------
    Cormen et al., *Introduction to Algorithms*, section 15.3. Larmore & Hirschberg, "A fast algorithm for optimal
    length-limited Huffman codes", *Journal of the ACM* 37 (1990).

    Examples
    --------
    >>> huffman_code_lengths([45, 13, 12, 16, 9, 5])
    array([1, 3, 3, 3, 4, 4], dtype=uint8)
    >>> huffman_code_lengths([45, 13, 12, 16, 9, 5], max_length=3)
    array([2, 3, 3, 2, 3, 3], dtype=uint8)
    """
    weights = as_floats(counts, "counts")
    if weights.ndim != 1:
        raise InputError(f"counts has shape {weights.shape}; it must have one axis, with a count a symbol")
    require_finite(weights, "counts")
    if weights.size and weights.min() < 0.0:
        raise InputError(f"counts[{int(weights.argmin())}] is {weights.min()}; a count is not negative")
    if max_length is not None and not 1 <= as_count(max_length, "max_length") <= LONGEST:
        raise InputError(f"max_length is {max_length}; it must lie between 1 and {LONGEST}")

    lengths = np.zeros(weights.size, dtype=np.uint8)
    used = np.flatnonzero(weights)
    if max_length is not None and used.size > 2**max_length:
        raise InputError(f"{used.size} symbols do not all get words of at most {max_length} bits: raise max_length")
    if used.size == 1:
        lengths[used] = 1
    elif used.size > 1:
        order = used[np.argsort(weights[used], kind="stable")]
        depths = np.empty(order.size, dtype=np.int64)
        if max_length is None:
            merge_all(weights[order], depths)
            if depths.max() > LONGEST:
                raise InputError(f"the longest word would have {depths.max()} bits: pass max_length, {LONGEST} or less")
        else:
            package_merge(weights[order], max_length, depths)
        lengths[order] = depths
    return lengths


def canonical_codes(lengths: ArrayLike) -> Codes:
    """Return the code words for given lengths: short ones first, equal lengths in the order of the symbols.

    Parameters
    ----------
    lengths : array_like of int, shape (n,)
        In bits, up to 57; 0 for symbols without a word.

    Returns
    -------
    ndarray of uint64, shape (n,)
        The words as numbers; their first bit is the most significant of ``lengths[i]`` bits.

    Raises
    ------
    InputError
        Lengths out of range, or too many short ones: no prefix code has them (Kraft).

    Notes
    -----
    Complexity: O(n log n).

    References
    ----------
    Cormen et al., *Introduction to Algorithms*, section 15.3; RFC 1951, section 3.2.2.

    Examples
    --------
    >>> [f"{code:0{length}b}" for code, length in zip(canonical_codes([1, 3, 3, 3, 4, 4]), [1, 3, 3, 3, 4, 4])]
    ['0', '100', '101', '110', '1110', '1111']
    """
    bits = as_lengths(lengths)
    order = in_canonical_order(bits)
    codes = np.zeros(bits.size, dtype=np.uint64)
    code, length = 0, 0
    for symbol in order.tolist():
        code <<= int(bits[symbol]) - length
        length = int(bits[symbol])
        if code >> length:
            raise InputError(
                f"no prefix code has these lengths: the words of up to {length} bits alone overfill the tree"
            )
        codes[symbol] = code
        code += 1
    return codes


def as_lengths(lengths: ArrayLike) -> Lengths:
    """Return code lengths as a vector of uint8, within range."""
    array = np.asarray(lengths)
    if array.ndim != 1 or (array.size and array.dtype.kind not in "iu"):
        raise InputError(f"lengths must be a vector of integers, not {array.dtype} of shape {array.shape}")
    if array.size and not 0 <= array.min() <= array.max() <= LONGEST:
        raise InputError(f"lengths run from {array.min()} to {array.max()}; they must lie between 0 and {LONGEST}")
    return array.astype(np.uint8)


def in_canonical_order(lengths: Lengths) -> NDArray[np.intp]:
    """Return the symbols that have words, by length and then by number."""
    order = np.argsort(lengths, kind="stable")
    return order[lengths[order] > 0]


@kernel
def merge_lightest(weights: Vector, parents: Integers, heads: Integers) -> None:
    """Tie the two lightest trees together; the new one goes to the end of the queue of pairs.

    ``weights`` and ``parents`` hold the symbols, sorted by count, then the pairs; ``heads`` says where the queue of
    symbols begins, where the queue of pairs begins, and where it ends. At least two trees are left.
    """
    symbols = (weights.size + 1) // 2
    new = heads[2]
    weights[new] = 0.0
    for _ in range(2):
        queue = 0 if heads[0] < symbols and (heads[1] == new or weights[heads[0]] <= weights[heads[1]]) else 1
        lightest = heads[queue]
        heads[queue] += 1
        weights[new] += weights[lightest]
        parents[lightest] = new
    heads[2] += 1


@kernel
def merge_all(sorted_weights: Vector, depths: Integers) -> None:
    """Build Huffman's tree for two symbols or more, and set the depth of each."""
    symbols = sorted_weights.size
    weights = np.empty(2 * symbols - 1)
    parents = np.zeros(2 * symbols - 1, np.int64)
    heads = np.zeros(3, np.int64)
    weights[:symbols] = sorted_weights
    heads[1] = heads[2] = symbols
    for _ in range(symbols - 1):
        merge_lightest(weights, parents, heads)
    levels = np.zeros(2 * symbols - 1, np.int64)
    for node in range(2 * symbols - 3, -1, -1):
        levels[node] = levels[parents[node]] + 1
    for symbol in range(symbols):
        depths[symbol] = levels[symbol]


@kernel
def package_merge(sorted_weights: Vector, max_length: int, depths: Integers) -> None:
    """Set the lengths of the best code of at most ``max_length`` bits, for two symbols or more.

    From the smallest coins up: the coins of a value are merged with the packages of two of the value below, in the
    order of their price, and paired to packages again. Of the largest value the 2 n - 2 cheapest are bought; a
    symbol's length is the number of its coins among them, and what a package holds is found by walking down again.
    """
    symbols = sorted_weights.size
    is_coin = np.zeros((max_length, 2 * symbols), np.bool_)
    prices = np.empty(2 * symbols)
    below = np.empty(2 * symbols)
    count = 0
    for level in range(max_length):
        below, prices = prices, below
        packages = count // 2
        coin, package = 0, 0
        count = symbols + packages
        coins = is_coin[level]
        for place in range(count):
            price = below[2 * package] + below[2 * package + 1] if package < packages else np.inf
            if coin < symbols and sorted_weights[coin] <= price:
                prices[place] = sorted_weights[coin]
                coins[place] = True
                coin += 1
            else:
                prices[place] = price
                package += 1
    depths[:] = 0
    bought = 2 * symbols - 2
    for level in range(max_length - 1, -1, -1):
        coins = is_coin[level]
        own = 0
        for place in range(bought):
            own += coins[place]
        for symbol in range(own):
            depths[symbol] += 1
        bought = 2 * (bought - own)
