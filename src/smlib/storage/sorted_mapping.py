"""Sorted mappings: what every ordered store of this library can do, whatever it is made of.

The problem. A dict answers "what is the value of this key?" and nothing about its neighbours. Whoever asks for all
orders of March, for the last reading before noon, or for the tenth word of an index needs the keys *in order*. Trees
in memory, trees in files and logs that are merged in the background keep them so, each in its own way, and one
program should be able to use any of them.

The idea. One interface, with the name of a thing in one place. A store is a dict, as far as a dict goes, and more::

    m[key], m.get(key), key in m, len(m), m.pop(key), m.update(...)     as a dict
    iter(m), m.keys(), m.values(), m.items(), and reversed() of each    in order, lazily
    m.range(start, stop)             the items with  start <= key < stop,  a missing end is open
    m.range(start, stop, reverse=True)                 the same, backwards
    m.first_item(), m.last_item()    the ends          KeyError if there is none, like ``dict.popitem``
    m.floor_item(key)                the greatest key <= key, or None: that there is none is an answer
    m.ceiling_item(key)              the least key >= key, or None
    m.get_many(keys), m.put_many(items)                many at a time, where a store can do that faster
    m.check(), m.stats()             the invariants, proved; figures about the inside

By hand. With the keys 10, 20, 30, ``floor_item(25)`` has the key 20 and ``ceiling_item(25)`` the key 30;
``range(10, 30)`` gives 10 and 20, for the end is not part of it, so that ``range(a, b)`` and ``range(b, c)`` together
are ``range(a, c)``.

What a store must bring: ``__getitem__``, ``__setitem__``, ``__delitem__``, ``__len__``, `SortedMapping.range`,
`SortedMapping.check` and `SortedMapping.stats`. All else is derived from these below, and a store replaces what it
can do better.

Keys are whatever ``<`` puts in one order: numbers, strings, bytes, dates, tuples of these. NaN, None, sets and mixtures
of numbers and strings are not; ``m[key] = value`` and questions about neighbours answer them with InputError, and leave
the store as it was. Looking such a key up is no error: it is not there, as in a dict. None stands for an open end.

Iterators look at the store itself, not at a copy. One that is asked to go on after a key was inserted or deleted
raises RuntimeError, as a dict's does; a new value for a key that is there already disturbs nobody.

Invariants of every store, checked by one machine in the tests:
  1. It holds what a dict would hold after the same calls.
  2. Whatever is walked comes in strictly increasing order, and backwards in strictly decreasing order.
  3. ``range(start, stop)`` gives the items of the whole walk with ``start <= key < stop``, none if ``stop <= start``.
  4. A call that raises has changed nothing; of `put_many` the items before the one refused stay, as in ``dict.update``.

Cost: that of the store. What is derived here makes one or two calls of its range, which is as good as it gets for a
store that finds a key in logarithmic time.

Sedgewick & Wayne, *Algorithms*, section 3.1; Cormen, Leiserson, Rivest & Stein, *Introduction to Algorithms*, chapter
12.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import ItemsView, Iterable, Iterator, KeysView, Mapping, MutableMapping, ValuesView
from typing import Any, Protocol, TypeVar

from smlib.errors import InputError


class Comparable(Protocol):
    """What keys have to be: anything that knows ``<``."""

    def __lt__(self, other: Any, /) -> Any: ...


K = TypeVar("K", bound=Comparable)
V = TypeVar("V")


class SortedMapping(MutableMapping[K, V]):
    """A mutable mapping whose keys are in order: the interface of all ordered stores.

    It cannot be instantiated; its stores can, and this is what they share. ``smlib.storage.BTree`` is one of them.

    Notes
    -----
    Complexity: that of the store's ``range``, unless a method says otherwise.

    References
    ----------
    Sedgewick & Wayne, *Algorithms*, section 3.1 (the ordered symbol table).

    Examples
    --------
    >>> from smlib.storage import BTree, SortedMapping
    >>> cities = BTree({"Oslo": 59.9, "Bergen": 60.4, "Tromsø": 69.6})
    >>> isinstance(cities, SortedMapping)
    True
    >>> list(cities), list(reversed(cities))
    (['Bergen', 'Oslo', 'Tromsø'], ['Tromsø', 'Oslo', 'Bergen'])
    >>> list(cities.range("C", "S"))
    [('Oslo', 59.9)]
    """

    __slots__ = ()

    @abstractmethod
    def range(self, start: K | None = None, stop: K | None = None, *, reverse: bool = False) -> Iterator[tuple[K, V]]:
        """Walk the items with ``start <= key < stop`` in order.

        Parameters
        ----------
        start, stop : key, optional
            The ends; open where they are None.
        reverse : bool
            Walk the same items backwards.

        Returns
        -------
        iterator of (key, value)
            It holds its place in the store: it takes no copy.

        Raises
        ------
        InputError
            An end cannot be put in order with the keys.
        RuntimeError
            While walking: a key was inserted or deleted since the walk began.
        """

    @abstractmethod
    def check(self) -> None:
        """Prove the store's invariants.

        Raises
        ------
        CorruptDataError
            One does not hold; the message has its number, as the store's essay counts.
        """

    @abstractmethod
    def stats(self) -> dict[str, float]:
        """Return figures about the inside: ``items``, and others that the store names."""

    def __iter__(self) -> Iterator[K]:
        return (key for key, _ in self.range())

    def __reversed__(self) -> Iterator[K]:
        return (key for key, _ in self.range(reverse=True))

    def keys(self) -> SortedKeysView[K]:
        """Return a view of the keys, in order and with ``reversed``."""
        return SortedKeysView(self)

    def values(self) -> SortedValuesView[V]:
        """Return a view of the values in the order of their keys, with ``reversed``."""
        return SortedValuesView(self)

    def items(self) -> SortedItemsView[K, V]:
        """Return a view of the items, in order and with ``reversed``."""
        return SortedItemsView(self)

    def first_item(self) -> tuple[K, V]:
        """Return the item with the least key; KeyError if the store is empty."""
        for item in self.range():
            return item
        raise KeyError("first_item: the store is empty")

    def last_item(self) -> tuple[K, V]:
        """Return the item with the greatest key; KeyError if the store is empty."""
        for item in self.range(reverse=True):
            return item
        raise KeyError("last_item: the store is empty")

    def floor_item(self, key: K) -> tuple[K, V] | None:
        """Return the item with the greatest key that is not greater than ``key``, or None if there is none.

        Raises
        ------
        InputError
            The key cannot be put in order with those that are here.
        """
        ceiling = self.ceiling_item(key)
        if ceiling is not None and ceiling[0] == key:
            return ceiling
        return next(self.range(stop=key, reverse=True), None)

    def ceiling_item(self, key: K) -> tuple[K, V] | None:
        """Return the item with the least key that is not less than ``key``, or None if there is none.

        Raises
        ------
        InputError
            The key cannot be put in order with those that are here.
        """
        return next(self.range(start=key), None)

    def get_many(self, keys: Iterable[K], default: Any = None) -> list[Any]:
        """Return the values of many keys, in the order in which they are asked for.

        Parameters
        ----------
        keys : iterable of keys
            In any order, and more than once if you like.
        default : object
            Stands where a key is not there.
        """
        return [self.get(key, default) for key in keys]

    def put_many(self, items: Mapping[K, V] | Iterable[tuple[K, V]]) -> None:
        """Set many items; of equal keys the last one stays.

        Parameters
        ----------
        items : mapping, or iterable of (key, value)

        Raises
        ------
        InputError
            An item is no pair, or its key cannot be put in order with the others. The items before it stay.
        """
        for key, value in pairs_of(items):
            self[key] = value

    def popitem(self, last: bool = True) -> tuple[K, V]:
        """Remove and return the item with the greatest key, or with the least; KeyError if the store is empty.

        Parameters
        ----------
        last : bool
            Which end; the end that ``dict.popitem`` takes if not given.
        """
        item = self.last_item() if last else self.first_item()
        del self[item[0]]
        return item

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Mapping):
            return NotImplemented
        if len(self) != len(other):
            return False
        if isinstance(other, SortedMapping):
            return all(mine == theirs for mine, theirs in zip(self.items(), other.items(), strict=True))
        missing = object()
        try:
            return all((other.get(key, missing),) == (value,) for key, value in self.items())
        except TypeError:  # A key that has an order and no hash is in no dict.
            return False


class SortedKeysView(KeysView[K]):
    """The keys of a sorted mapping, as they are when one looks."""

    __slots__ = ()
    _mapping: SortedMapping[K, Any]

    def __iter__(self) -> Iterator[K]:
        return iter(self._mapping)

    def __reversed__(self) -> Iterator[K]:
        return reversed(self._mapping)


class SortedItemsView(ItemsView[K, V]):
    """The items of a sorted mapping, as they are when one looks."""

    __slots__ = ()
    _mapping: SortedMapping[K, V]

    def __iter__(self) -> Iterator[tuple[K, V]]:
        return self._mapping.range()

    def __reversed__(self) -> Iterator[tuple[K, V]]:
        return self._mapping.range(reverse=True)


class SortedValuesView(ValuesView[V]):
    """The values of a sorted mapping, in the order of their keys, as they are when one looks."""

    __slots__ = ()
    _mapping: SortedMapping[Any, V]

    def __iter__(self) -> Iterator[V]:
        return (value for _, value in self._mapping.range())

    def __reversed__(self) -> Iterator[V]:
        return (value for _, value in self._mapping.range(reverse=True))

    def __contains__(self, value: object) -> bool:
        return any(mine is value or mine == value for mine in self)


def keys_changed(instead: str) -> RuntimeError:
    """Return the error of a walk whose keys have changed under it, and what to iterate over instead."""
    return RuntimeError(f"a key was inserted or deleted during iteration; iterate over {instead} instead")


def pairs_of(items: Mapping[K, V] | Iterable[tuple[K, V]]) -> Iterator[tuple[K, V]]:
    """Yield keys and values; InputError names the place of what is no pair."""
    if isinstance(items, Mapping):
        yield from items.items()
        return
    try:
        numbered = enumerate(items)
    except TypeError as error:
        raise InputError(f"items is {items!r}; it must be a mapping, or pairs of a key and a value") from error
    for place, item in numbered:
        try:
            key, value = item
        except (TypeError, ValueError) as error:
            raise InputError(f"items[{place}] is {item!r}; it must be a pair of a key and a value") from error
        yield key, value
