"""The mapping over the arena: single items wait in a dict, and go in together.

Comer, "The Ubiquitous B-Tree", *ACM Computing Surveys* 11 (1979).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from smlib._core.kernel import bind_types
from smlib.errors import InputError
from smlib.storage.array_btree.arguments import (
    LARGEST,
    SMALLEST,
    as_array,
    as_integer,
    as_key,
    as_keys,
    as_lookup,
    as_value,
    as_value_type,
    as_values,
)
from smlib.storage.array_btree.bulk_loading import load
from smlib.storage.array_btree.changes import put_sorted, remove
from smlib.storage.array_btree.invariants import check_arena, count_rows
from smlib.storage.array_btree.lookups import (
    MISSING,
    find,
    find_ceiling,
    find_floor,
    find_many,
    number_of,
    scan,
    scan_back,
    value_of,
)
from smlib.storage.array_btree.rows import CAPACITY, HEIGHT, ITEMS, KEYS, VALUES, Words, allocate, empty_arena
from smlib.storage.array_btree.sorting import in_order, without_repeats
from smlib.storage.sorted_mapping import SortedMapping, keys_changed

# So many items wait in the dict.
WAITING = 32_768
# A walk reads so many items at a time.
CHUNK = 1024
# From a value back to its key.
BACK = int(VALUES - KEYS)

NOTHING = np.empty(0, np.int64)


class SortedIntMap(SortedMapping[int, Any]):
    """A mapping from 64-bit integers to 64-bit numbers, in the order of its keys.

    Parameters
    ----------
    items : mapping, or iterable of (key, value)
        What it holds to begin with; of equal keys the last one counts. Arrays load faster by `from_arrays`.
    dtype : {numpy.int64, numpy.float64}
        Of the values.

    Raises
    ------
    InputError
        A key is no integer from -2^63 to 2^63 - 1, a value is no number of the dtype, an item is no pair, or another
        dtype. The same holds for ``m[key] = value``; the map is as it was then.

    See Also
    --------
    SortedMapping : what is here and not explained: items at the ends and next to a key, views.
    BTree : for keys of any kind.

    Notes
    -----
    Complexity: O(log n) a call.

    Looking up what is no integer is no error, as in a dict: it is not there. Threads must not share a map without a
    lock.

    References
    ----------
    Comer, "The Ubiquitous B-Tree", *ACM Computing Surveys* 11 (1979).

    Examples
    --------
    >>> readings = SortedIntMap({1200: 21.5, 900: 19.0, 1500: 22.5}, dtype=float)
    >>> readings[1000] = 20.0
    >>> list(readings.range(900, 1200))
    [(900, 19.0), (1000, 20.0)]
    >>> readings.floor_item(1100), len(readings)
    ((1000, 20.0), 4)
    >>> readings.get_many([1500, 1000])
    array([22.5, 20. ])
    """

    __slots__ = ("_arena", "_edits", "_look_up", "_numbers", "_plain", "_waiting", "_writes", "dtype")

    def __init__(
        self, items: Mapping[int, Any] | Iterable[tuple[int, Any]] = (), *, dtype: DTypeLike = np.int64
    ) -> None:
        self.dtype = as_value_type(dtype)
        self._waiting: dict[int, Any] = {}
        self._edits = self._writes = 0
        self._use(empty_arena())
        self._plain = int if self.dtype is np.int64 else float
        self._look_up = bind_types(value_of if self.dtype is np.int64 else number_of, self._arena, 0)
        self.put_many(items)

    @classmethod
    def from_arrays(cls, keys: ArrayLike, values: ArrayLike, *, dtype: DTypeLike | None = None) -> SortedIntMap:
        """Build a map from arrays.

        Parameters
        ----------
        keys : array_like of int, shape (n,)
            In any order; of equal keys the last one counts.
        values : array_like, shape (n,)
        dtype : {numpy.int64, numpy.float64}, optional
            Of the values; float64 if they are floats and int64 else, if not given.

        Returns
        -------
        SortedIntMap

        Raises
        ------
        InputError
            The shapes differ, or keys or values are not of their type.

        Notes
        -----
        Complexity: O(n).

        Examples
        --------
        >>> squares = SortedIntMap.from_arrays([3, 1, 2], [9, 1, 4])
        >>> squares.to_arrays()
        (array([1, 2, 3]), array([1, 4, 9]))
        """
        if dtype is None:
            dtype = np.float64 if as_array(values, "values").dtype.kind == "f" else np.int64
        result = cls(dtype=dtype)
        result.put_arrays(keys, values)
        return result

    def to_arrays(self, start: int | None = None, stop: int | None = None) -> tuple[NDArray[np.int64], NDArray[Any]]:
        """Return the items with ``start <= key < stop`` as two arrays, in the order of the keys.

        Parameters
        ----------
        start, stop : int, optional
            The ends; open where they are None.

        Returns
        -------
        keys, values : ndarray, shape (k,)
            Copies.

        Notes
        -----
        Complexity: O(log n + k).
        """
        interval = self._interval(start, stop)
        self._drain()
        if interval is None:
            return np.empty(0, np.int64), np.empty(0, self.dtype)
        keys, words = self._words(*interval)
        return keys, words.view(self.dtype)

    def put_arrays(self, keys: ArrayLike, values: ArrayLike) -> None:
        """Set many items; of equal keys the last one stays.

        Parameters
        ----------
        keys : array_like of int, shape (n,)
        values : array_like, shape (n,)

        Raises
        ------
        InputError
            The shapes differ, or keys or values are not of their type. Nothing is changed then.

        Notes
        -----
        Complexity: O(n) to sort; then O(n + m) into a map of m <= 2 n items, which is built anew, and O(n log m) into a
        larger one, with one way down for all keys of a leaf.
        """
        new = as_keys(keys, "keys")
        words = as_values(values, self.dtype).view(np.int64)
        if new.shape != words.shape:
            raise InputError(f"keys has shape {new.shape}, values {words.shape}; they must be equal")
        self._drain()
        if not (new[1:] > new[:-1]).all():
            new, words = without_repeats(*in_order(new.copy(), words.copy()))
        self._put(new, words)

    def get_many(  # type: ignore[override]  # an array is a sequence in all that matters here
        self, keys: Iterable[int], default: Any = None
    ) -> NDArray[Any]:
        """Return the values of many keys, in the order in which they are asked for.

        Parameters
        ----------
        keys : array_like of int, shape (k,)
            In any order, and more than once if you like.
        default : number, optional
            Stands where a key is not there.

        Returns
        -------
        ndarray, shape (k,)
            Of the map's dtype; of objects if a key is not there and no default given, for then None stands there.

        Raises
        ------
        InputError
            ``keys`` is no array of integers, or ``default`` no number of the dtype.

        Notes
        -----
        Complexity: O(k log n), 64 lookups side by side.
        """
        wanted = as_keys(
            list(keys) if isinstance(keys, Iterable) and not isinstance(keys, np.ndarray) else keys, "keys"
        )
        self._drain()
        words, missing = np.empty(wanted.size, np.int64), np.empty(wanted.size, np.bool_)
        lost = find_many(self._arena, wanted, words, missing)
        found: NDArray[Any] = words.view(self.dtype)
        if lost:
            if default is None:
                found = found.astype(object)
            found[missing] = default if default is None else as_value(default, self.dtype)
        return found

    def __getitem__(self, key: int) -> Any:
        if type(key) is not int:
            key = as_lookup(key)
        if self._waiting:
            value = self._waiting.get(key)
            if value is not None:
                return value
        try:
            value = self._look_up(self._arena, key)
        except OverflowError:
            raise KeyError(key) from None
        if (value == MISSING or value != value) and find(self._arena, key) < 0:
            raise KeyError(key)
        return value

    def __setitem__(self, key: int, value: Any) -> None:
        if type(key) is not int or key.bit_length() > 63:
            key = as_key(key, "a key")
        if type(value) is not self._plain or (type(value) is int and value.bit_length() > 63):
            value = as_value(value, self.dtype)
        self._waiting[key] = value
        if len(self._waiting) >= WAITING:
            self._drain()

    def __delitem__(self, key: int) -> None:
        if type(key) is not int or key.bit_length() > 63:
            key = as_lookup(key)
        waited = self._waiting.pop(key, None) is not None
        if not remove(self._arena, key) and not waited:
            raise KeyError(key)
        self._edits += 1

    def __len__(self) -> int:
        self._drain()
        return int(self._arena[ITEMS])

    def __contains__(self, key: object) -> bool:
        try:
            self[key]  # type: ignore[index]  # whatever is no integer is not there
        except KeyError:
            return False
        return True

    def range(self, start: int | None = None, stop: int | None = None, *, reverse: bool = False) -> Iterator[Any]:
        """Walk the items with ``start <= key < stop`` in order; see `SortedMapping.range`."""
        interval = self._interval(start, stop)
        self._drain()
        return iter(()) if interval is None else self._walk(*interval, reverse, self._edits)

    def first_item(self) -> tuple[int, Any]:
        """Return the item with the least key; KeyError if the map is empty."""
        item = self.ceiling_item(SMALLEST)
        if item is None:
            raise KeyError("first_item: the map is empty")
        return item

    def last_item(self) -> tuple[int, Any]:
        """Return the item with the greatest key; KeyError if the map is empty."""
        item = self.floor_item(LARGEST)
        if item is None:
            raise KeyError("last_item: the map is empty")
        return item

    def floor_item(self, key: int) -> tuple[int, Any] | None:
        """Return the item with the greatest key that is not greater than ``key``, or None if there is none."""
        number = as_integer(key, "key")
        self._drain()
        return self._item(-1 if number < SMALLEST else find_floor(self._arena, min(number, LARGEST)))

    def ceiling_item(self, key: int) -> tuple[int, Any] | None:
        """Return the item with the least key that is not less than ``key``, or None if there is none."""
        number = as_integer(key, "key")
        self._drain()
        return self._item(-1 if number > LARGEST else find_ceiling(self._arena, max(number, SMALLEST)))

    def clear(self) -> None:
        """Remove all items."""
        self._waiting.clear()
        self._use(empty_arena())
        self._edits += 1

    def copy(self) -> SortedIntMap:
        """Return a map with the same items that is independent of this one."""
        self._drain()
        result = type(self)(dtype=self.dtype)
        arena = allocate(self._arena.size)
        arena[:] = self._arena
        result._use(arena)
        return result

    __copy__ = copy

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self).from_arrays, self.to_arrays()

    def check(self) -> None:
        """Prove the invariants of the essay; CorruptDataError names the one that does not hold."""
        self._drain()
        check_arena(self._arena)

    def stats(self) -> dict[str, float]:
        """Return ``items``, ``height`` (rows from root to leaf), ``leaves``, ``fill`` (of the leaves) and ``bytes``."""
        items, leaves = len(self), count_rows(self._arena)
        return {
            "items": items,
            "height": int(self._arena[HEIGHT]),
            "leaves": leaves,
            "fill": items / (leaves * int(CAPACITY)),
            "bytes": self._arena.nbytes,
        }

    def __repr__(self) -> str:
        return f"{type(self).__name__}: {len(self):,} items of {np.dtype(self.dtype).name}"

    def _use(self, arena: Words) -> None:
        self._arena = arena
        self._numbers = arena.view(self.dtype)

    def _drain(self) -> None:
        """Put in what waits."""
        waiting = self._waiting
        if len(waiting) == 1:
            ((key, value),) = waiting.items()
            self._put(np.array([key]), np.array([value], self.dtype).view(np.int64))
            waiting.clear()
        elif waiting:
            keys = np.fromiter(waiting.keys(), np.int64, len(waiting))
            words = np.fromiter(waiting.values(), self.dtype, len(waiting)).view(np.int64)
            self._put(*in_order(keys, words))
            waiting.clear()

    def _put(self, keys: Words, words: Words) -> None:
        """Put in items with strictly increasing keys."""
        before = self._arena[ITEMS]
        if 2 * keys.size >= before:
            if before:
                old_keys, old_words = self._words(SMALLEST, LARGEST, True)
                joined = in_order(np.append(old_keys, keys), np.append(old_words, words))
                keys, words = without_repeats(*joined)
            self._use(load(keys, words))
            done = keys.size
        else:
            done = put_sorted(self._arena, keys, words, 0)
        while done < keys.size:
            larger = allocate(2 * self._arena.size)
            larger[: self._arena.size] = self._arena
            self._use(larger)
            done = put_sorted(self._arena, keys, words, done)
        self._writes += 1
        if self._arena[ITEMS] != before:
            self._edits += 1

    def _words(self, start: int, stop: int, closed: bool) -> tuple[Words, Words]:
        """Return the keys of an interval and the words of their values."""
        size = scan(self._arena, start, stop, closed, NOTHING, NOTHING)
        keys, words = np.empty(size, np.int64), np.empty(size, np.int64)
        if size:
            scan(self._arena, start, stop, closed, keys, words)
        return keys, words

    def _item(self, position: int | np.int64) -> tuple[int, Any] | None:
        if position < 0:
            return None
        return self._arena.item(int(position) - BACK), self._numbers.item(int(position))

    def _interval(self, start: int | None, stop: int | None) -> tuple[int, int, bool] | None:
        """Return the least key, the end, and whether the end is part of it; None if nothing lies between."""
        low = SMALLEST if start is None else max(as_integer(start, "start"), SMALLEST)
        high = LARGEST + 1 if stop is None else as_integer(stop, "stop")
        if low >= high:
            return None
        return (low, LARGEST, True) if high > LARGEST else (low, high, False)

    def _walk(self, start: int, stop: int, closed: bool, reverse: bool, edits: int) -> Iterator[tuple[int, Any]]:
        """Walk in chunks. A chunk that has become old, because values were written, is read again."""
        keys, words = np.empty(CHUNK, np.int64), np.empty(CHUNK, np.int64)
        numbers = words.view(self.dtype)
        read = scan_back if reverse else scan
        while True:
            self._refuse_edits_since(edits)
            size = read(self._arena, start, stop, closed, keys, words)
            writes, place = self._writes, 0
            for key, value in zip(keys[:size].tolist(), numbers[:size].tolist(), strict=True):
                place += 1
                yield key, value
                self._refuse_edits_since(edits)
                if self._writes != writes:
                    break
            if size < CHUNK and place == size:
                return
            if reverse:
                stop, closed = key, False
            elif key == LARGEST:
                return
            else:
                start = key + 1

    def _refuse_edits_since(self, edits: int) -> None:
        """Put in what waits; RuntimeError if the keys are not those of a walk's beginning."""
        if self._waiting:
            self._drain()
        if self._edits != edits:
            raise keys_changed("a copy")
