"""A Huffman code over any alphabet, coded and decoded a bit at a time: the way it is done by hand.

Words are written one after the other, their first bit first, into bytes whose first bit is the most significant;
zeros fill the last byte. To decode a canonical code no tree is needed. The words of length ``l`` are the numbers from
``first[l]`` on, as many as there are symbols of that length; so read bit after bit, and stop at the length where the
number read lies among them::

    lengths 1, 3, 3, 3, 4, 4          first[1] = 0,   first[3] = 100,   first[4] = 1110

    1 1 0 ...    1 is beyond 0; 11 is no word, none has two bits; 110 is 100 + 2: the third symbol of length 3

Bytes are better off with `huffman_compress`, which decodes several symbols at a time and proves the integrity of its
data.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from smlib._core.kernel import kernel
from smlib._core.validate import as_bytes, as_count, as_floats, require_finite
from smlib.errors import CorruptDataError, InputError
from smlib.infotheory.huffman_coding.code_lengths import (
    LONGEST,
    Codes,
    Integers,
    Lengths,
    as_lengths,
    canonical_codes,
    huffman_code_lengths,
    in_canonical_order,
)

Bytes: TypeAlias = NDArray[np.uint8]
# A symbol, or a pair of trees: what a 0 leads to, and what a 1 leads to.
Tree: TypeAlias = "int | tuple[Tree, Tree] | None"
# Counting symbols takes a table as long as the largest one.
LARGEST_ALPHABET = 2**24


@dataclass(frozen=True, slots=True, eq=False)
class HuffmanCode:
    """A prefix code for the symbols 0, 1, ..., n - 1, in canonical form.

    Parameters
    ----------
    lengths : array_like of int, shape (n,)
        The lengths of the code words in bits; 0 for symbols without one. `from_counts` and `from_symbols` find the
        best.

    Attributes
    ----------
    lengths : ndarray of uint8, shape (n,)
    codes : ndarray of uint64, shape (n,)
        The words, see `canonical_codes`.

    Raises
    ------
    InputError
        No prefix code has these lengths.

    Examples
    --------
    >>> code = HuffmanCode.from_counts([45, 13, 12, 16, 9, 5])
    >>> code.encode([0, 1, 2]).hex()  # 0 100 101, and a zero to fill the byte
    '4a'
    >>> code.decode(code.encode([0, 1, 2]), 3)
    array([0, 1, 2])
    >>> code.expected_length([45, 13, 12, 16, 9, 5])
    2.24
    """

    lengths: Lengths
    codes: Codes

    def __init__(self, lengths: ArrayLike) -> None:
        object.__setattr__(self, "lengths", as_lengths(lengths))
        object.__setattr__(self, "codes", canonical_codes(self.lengths))

    @classmethod
    def from_counts(cls, counts: ArrayLike, max_length: int | None = None) -> HuffmanCode:
        """Return the best code for given counts; see `huffman_code_lengths` for parameters and errors."""
        return cls(huffman_code_lengths(counts, max_length))

    @classmethod
    def from_symbols(cls, symbols: ArrayLike, max_length: int | None = None) -> HuffmanCode:
        """Return the best code for a given message: an array of integers that are not negative."""
        message = _as_symbols(symbols)
        return cls.from_counts(np.bincount(message), max_length)

    def encode(self, symbols: ArrayLike) -> bytes:
        """Write the words of a message one after the other.

        Parameters
        ----------
        symbols : array_like of int, shape (k,)
            From 0 to n - 1, and only symbols that have a word.

        Returns
        -------
        bytes
            Zeros fill the last byte.

        Raises
        ------
        InputError
            A symbol has no word; the message names the first such place.

        Notes
        -----
        Complexity: O(k + bits).
        """
        message = _as_symbols(symbols)
        if message.size and message.max() >= self.lengths.size:
            place = int(np.argmax(message >= self.lengths.size))
            raise InputError(f"symbols[{place}] is {message[place]}, but the code ends at {self.lengths.size - 1}")
        missing = np.flatnonzero(self.lengths[message] == 0)
        if missing.size:
            raise InputError(f"symbols[{missing[0]}] is {message[missing[0]]}, which has no word in this code")
        total = int(self.lengths[message].sum(dtype=np.int64))
        out = np.zeros((total + 7) // 8, dtype=np.uint8)
        write_words(message, self.codes, self.lengths, out)
        return out.tobytes()

    def decode(self, data: bytes | bytearray | memoryview, count: int) -> Integers:
        """Read the words of a message back.

        Parameters
        ----------
        data : bytes-like
            What `encode` returned; it is not trusted.
        count : int
            How many symbols to read: the zeros that fill the last byte might look like one.

        Returns
        -------
        ndarray of int64, shape (count,)

        Raises
        ------
        CorruptDataError
            The data ends too early, goes on too long, or holds bits that begin no word.
        InputError
            ``data`` is not bytes-like.

        Notes
        -----
        Complexity: O(n + bits).
        """
        source = np.frombuffer(as_bytes(data), dtype=np.uint8)
        if as_count(count, "count") > 8 * source.size:
            raise CorruptDataError(f"{source.size} bytes are too few for {count} symbols")
        symbols = in_canonical_order(self.lengths)
        per_length = np.bincount(self.lengths[symbols], minlength=LONGEST + 1)
        message = np.empty(count, dtype=np.int64)
        bit = read_words(source, per_length, symbols, message)
        if bit < 0:
            raise CorruptDataError(f"the data ends early, or holds no code word, at bit {-1 - bit}")
        rest = 8 * source.size - bit
        if rest >= 8 or (rest and source[-1] & ((1 << rest) - 1)):
            raise CorruptDataError(f"{rest} bits follow the last of {count} symbols")
        return message

    def expected_length(self, counts: ArrayLike) -> float:
        """Return the bits a symbol that this code spends on average, for given counts or probabilities."""
        weights = as_floats(counts, "counts")
        if weights.shape != self.lengths.shape:
            raise InputError(f"counts has shape {weights.shape}, but the code has {self.lengths.size} symbols")
        require_finite(weights, "counts")
        largest = float(weights.max(initial=0.0))
        if largest == 0.0 or weights.min() < 0.0:
            raise InputError("counts must not be negative, and not all 0")
        scaled = np.ldexp(weights, -math.frexp(largest)[1])
        return float(scaled @ self.lengths) / float(scaled.sum())

    def tree(self) -> Tree:
        """Return the tree of the code: a symbol, or a pair of trees that a 0 and a 1 lead to.

        Returns
        -------
        tuple
            None stands where no word begins so: beside a symbol that is alone.

        Examples
        --------
        >>> HuffmanCode.from_counts([45, 13, 12, 16, 9, 5]).tree()
        (0, ((1, 2), (3, (4, 5))))
        """
        root: list[Any] = [None, None]
        for symbol in in_canonical_order(self.lengths).tolist():
            word = f"{self.codes[symbol]:0{self.lengths[symbol]}b}"
            node = root
            for bit in map(int, word[:-1]):
                if node[bit] is None:
                    node[bit] = [None, None]
                node = node[bit]
            node[int(word[-1])] = symbol
        return _freeze(root)


def _freeze(node: Any) -> Tree:
    return tuple(map(_freeze, node)) if isinstance(node, list) else node  # type: ignore[return-value]  # always two


def _as_symbols(symbols: ArrayLike) -> Integers:
    array = np.asarray(symbols)
    if array.ndim != 1 or (array.size and array.dtype.kind not in "iu"):
        raise InputError(f"symbols must be a vector of integers, not {array.dtype} of shape {array.shape}")
    if array.size and not 0 <= array.min() <= array.max() < LARGEST_ALPHABET:
        raise InputError(
            f"symbols run from {array.min()} to {array.max()}; they must lie between 0 and {LARGEST_ALPHABET - 1}"
        )
    return np.require(array, dtype=np.int64, requirements=["C", "W"])


@kernel
def write_words(message: Integers, codes: Codes, lengths: Lengths, out: Bytes) -> None:
    """Write the words of the message, first bit first, into zeroed bytes with room for all of them."""
    bit = 0
    for symbol in message:
        code, length = np.int64(codes[symbol]), np.int64(lengths[symbol])
        for position in range(length - 1, -1, -1):
            if (code >> position) & 1:
                out[bit >> 3] |= np.uint8(128 >> (bit & 7))
            bit += 1


@kernel
def read_words(source: Bytes, per_length: Integers, symbols: Integers, message: Integers) -> int:
    """Read words until the message is full; return the number of bits read, or -1 - the bit at which no word begins.

    ``per_length[l]`` is the number of words of length l, and ``symbols`` the symbols in canonical order.
    """
    bit = 0
    for place in range(message.size):
        symbol, length = read_word(source, bit, per_length, symbols)
        if length == 0:
            return -1 - bit
        message[place] = symbol
        bit += length
    return bit


@kernel
def read_word(source: Bytes, bit: int, per_length: Integers, symbols: Integers) -> tuple[int, int]:
    """Return the symbol whose word begins at a bit, and the word's length, which is 0 where there is no word."""
    code, first, before = 0, 0, 0
    for length in range(1, per_length.size):
        if bit >= 8 * source.size:
            return 0, 0
        code = 2 * code + int((source[bit >> 3] >> (7 - (bit & 7))) & 1)
        first *= 2
        bit += 1
        if code - first < per_length[length]:
            return symbols[before + code - first], length
        first += per_length[length]
        before += per_length[length]
    return 0, 0
