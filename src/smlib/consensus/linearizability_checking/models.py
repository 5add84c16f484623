"""Models: what an object does when its operations come one after another.

A model is the specification, and nothing else says what is right. It has a state that cannot be changed, only replaced,
and one function: if the object is in this state and is asked this, may it answer that, and what is its state then?

    state 3, ("read",), 3      ->   allowed, state 3
    state 3, ("read",), 4      ->   not allowed
    state 3, ("write", 5)      ->   allowed, state 5

Many objects of a kind are one model: `Model.key` says which of them an input is for, and ``step`` sees one object only.
A store of keys and values is a register for each key.

Invariants:
  1. ``step`` depends on its arguments only, and changes none of them.
  2. States are hashable; equal states behave equally.
  3. The new state does not depend on the output: it is what the operation does, whatever its client was told.

Cost: O(1) a step; an ``append`` copies the value.

Herlihy & Wing, "Linearizability", *ACM TOPLAS* 12 (1990), section 2.2 (sequential specifications).
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

from smlib.errors import InputError


class Model:
    """A sequential object; derive from it to check objects of your own.

    Attributes
    ----------
    initial : hashable
        The state before the first operation, None unless a subclass says otherwise.

    See Also
    --------
    Register, CompareAndSetRegister, KeyValue

    Examples
    --------
    A queue, first in first out; its state is a tuple:

    >>> from smlib.consensus import Operation, check_linearizable
    >>> class Queue(Model):
    ...     initial = ()
    ...     def step(self, state, input, output):
    ...         if input[0] == "put":
    ...             return True, (*state, input[1])
    ...         return (output == state[0], state[1:]) if state else (output is None, state)
    >>> history = [
    ...     Operation("a", 0, 3, ("put", "x"), None),
    ...     Operation("b", 1, 2, ("put", "y"), None),
    ...     Operation("b", 4, 5, ("take",), "y"),
    ... ]
    >>> check_linearizable(history, Queue()).linearizable
    True
    >>> check_linearizable([*history, Operation("a", 6, 7, ("take",), "y")], Queue()).linearizable
    False
    """

    initial: Hashable = None

    def step(self, state: Any, input: Any, output: Any) -> tuple[bool, Hashable]:  # noqa: A002  # the word of the literature
        """Ask the object once.

        Parameters
        ----------
        state : hashable
            Of the object that the input is for.
        input, output : hashable
            What was asked, and what was answered. If no answer came, ``output`` is None, and the first part of the
            result does not count.

        Returns
        -------
        allowed : bool
            Whether the object may answer so.
        state : hashable
            Its state after that.
        """
        raise NotImplementedError(f"{type(self).__name__} has no step")

    def key(self, input: Any) -> Hashable:  # noqa: A002  # the word of the literature
        """Return which object an input is for; None for all of them, unless a subclass says otherwise."""
        return None

    def only_observes(self, input: Any, output: Any) -> bool:  # noqa: A002  # the word of the literature
        """Return whether such an operation leaves every state in which it is allowed as it is.

        To say so of reads makes a search much faster; to say so of anything else makes it wrong. False, unless a
        subclass says otherwise.
        """
        return False

    def __repr__(self) -> str:
        return f"{type(self).__name__}()" if self.initial is None else f"{type(self).__name__}({self.initial!r})"


class Register(Model):
    """A cell that is read and written.

    Inputs are ``("read",)``, whose output is the value, and ``("write", value)``, whose output does not count.

    Parameters
    ----------
    initial : hashable
        The value before the first write.

    Examples
    --------
    >>> Register(0).step(3, ("read",), 4)
    (False, 3)
    """

    _known = '("read",) and ("write", value)'

    def __init__(self, initial: Hashable = None) -> None:
        self.initial = initial

    def only_observes(self, input: Any, output: Any) -> bool:  # noqa: A002  # the word of the literature
        """Return whether it is a read, or a compare-and-set that has failed."""
        return _only_observes("read", input, output)

    def step(self, state: Any, input: Any, output: Any) -> tuple[bool, Hashable]:  # noqa: A002  # the word of the literature
        """Read or write."""
        try:
            function = input[0]
            if function == "read":
                return output == state, state
            if function == "write":
                return True, input[1]
        except (IndexError, KeyError, TypeError):
            pass
        raise _unknown(self, input, self._known)


class CompareAndSetRegister(Register):
    """A register that can also be set on condition.

    Beside reads and writes, inputs are ``("cas", expected, new)``; the output is whether the value was the expected one
    and has been set.

    Parameters
    ----------
    initial : hashable
        The value before the first write.

    Examples
    --------
    >>> CompareAndSetRegister(0).step(3, ("cas", 3, 5), True)
    (True, 5)
    >>> CompareAndSetRegister(0).step(4, ("cas", 3, 5), True)
    (False, 4)
    """

    _known = '("read",), ("write", value) and ("cas", expected, new)'

    def step(self, state: Any, input: Any, output: Any) -> tuple[bool, Hashable]:  # noqa: A002  # the word of the literature
        """Read, write, or compare and set."""
        try:
            if input[0] == "cas":
                equal = state == input[1]
                return output == equal, input[2] if equal else state
        except (IndexError, KeyError, TypeError):
            pass
        return super().step(state, input, output)


class KeyValue(Model):
    """A store of keys and values.

    Inputs are ``("get", key)``, whose output is the value; ``("put", key, value)`` and ``("append", key, more)``, whose
    outputs do not count; and ``("cas", key, expected, new)``, whose output is whether it has been set.

    Parameters
    ----------
    initial : hashable
        The value of a key that was never put; what is appended to None becomes the value.

    Examples
    --------
    >>> store = KeyValue("")
    >>> store.step("ab", ("append", "k", "c"), None)
    (True, 'abc')
    >>> store.key(("append", "k", "c"))
    'k'
    """

    def __init__(self, initial: Hashable = None) -> None:
        self.initial = initial

    def key(self, input: Any) -> Hashable:  # noqa: A002  # the word of the literature
        """Return the key of an input."""
        try:
            key: Hashable = input[1]
            return key
        except (IndexError, KeyError, TypeError):
            raise self._unknown(input) from None

    def only_observes(self, input: Any, output: Any) -> bool:  # noqa: A002  # the word of the literature
        """Return whether it is a get, or a compare-and-set that has failed."""
        return _only_observes("get", input, output)

    def step(self, state: Any, input: Any, output: Any) -> tuple[bool, Hashable]:  # noqa: A002  # the word of the literature
        """Get, put, append, or compare and set."""
        try:
            function = input[0]
            if function == "get":
                return output == state, state
            if function == "put":
                return True, input[2]
            if function == "append":
                return True, input[2] if state is None else state + input[2]
            if function == "cas":
                equal = state == input[2]
                return output == equal, input[3] if equal else state
        except (IndexError, KeyError, TypeError):
            pass
        raise self._unknown(input)

    def _unknown(self, wrong: Any) -> InputError:
        known = '("get", key), ("put", key, value), ("append", key, more) and ("cas", key, expected, new)'
        return _unknown(self, wrong, known)


def _only_observes(reading: str, asked: Any, output: Any) -> bool:
    try:
        return asked[0] == reading or (output is False and asked[0] == "cas")
    except (IndexError, KeyError, TypeError):
        return False


def _unknown(model: Model, wrong: Any, known: str) -> InputError:
    return InputError(f"{type(model).__name__} cannot do {wrong!r}; it knows {known}")
