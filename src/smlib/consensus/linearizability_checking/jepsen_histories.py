"""Histories as Jepsen writes them: a line for each call and for each response.

A test of a real system writes down events, not operations. Two forms are read, and may be mixed; what follows the
process, the type and the function is the value, in Clojure's notation::

    INFO  jepsen.util - 3   :invoke :cas   [1 2]             a line of a log
    {:process 3, :type :invoke, :f :cas, :value [1 2]}       a map, with a :key where there are many

The type of an event says what is known. ``:invoke`` is a call. ``:ok`` is a response. ``:fail`` means that it did not
happen, and the operation is left out; but where the value of a ``:cas`` stands in its place, it was done, and the value
was not the expected one: that is an answer, too. ``:info``, or no response at all, means that nobody knows.

By hand. Process 3 calls in line 1, process 4 in line 2; 3 is answered in line 3, 4 never::

    INFO  jepsen.util - 3   :invoke :write 7
    INFO  jepsen.util - 4   :invoke :read  nil        Operation(3, 1, 3, ("write", 7), None)
    INFO  jepsen.util - 3   :ok     :write 7          Operation(4, 2, None, ("read",), None)

Invariants:
  1. Each response belongs to a call of the same process and the same function, and to one only.
  2. A line that is neither blank, nor an event, nor the nemesis' (which breaks things, and calls nothing) is an error.

Cost: O(bytes).

Kingsbury, *Jepsen* (2013-), "Histories"; the Clojure authors, *Extensible Data Notation* (2014).
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

from smlib.consensus.linearizability_checking.clojure_notation import read_value
from smlib.consensus.linearizability_checking.operations import Operation
from smlib.errors import CorruptDataError

LOG_LINE = re.compile(r"\w+\s+jepsen\.\S+\s+-\s+(:?\w+)\s+:(\w+)\s+:([\w-]+)\s+(.*)")
TYPES = ("invoke", "ok", "fail", "info")
NEMESIS = ":nemesis"


class Event(NamedTuple):
    """A line: the process, ``invoke``, ``ok``, ``fail`` or ``info``, the function, its value, and the key if any."""

    process: Any
    kind: str
    function: str
    value: Any
    key: Any
    keyed: bool


def read_jepsen_history(source: str | os.PathLike[str] | Iterable[str]) -> list[Operation]:
    """Read a history that Jepsen has written.

    Parameters
    ----------
    source : path, or iterable of str
        A file, or its lines.

    Returns
    -------
    list of Operation
        In the order of their calls. The client is the process, times are numbers of lines (from 1), and the input is
        the function, the key where the lines have one, and the arguments: ``("read",)``, ``("write", 3)``,
        ``("cas", 1, 2)``, ``("get", "x")``, ``("append", "x", "abc")``. The output of ``read`` and ``get`` is the
        value, that of ``cas`` whether it has been set, and that of all others None.

    Raises
    ------
    CorruptDataError
        A line is no event, or a response has no call. The message names the file and the line.

    Notes
    -----
    Complexity: O(bytes).

    References
    ----------
    Kingsbury, *Jepsen* (2013-).

    Examples
    --------
    >>> read_jepsen_history([
    ...     "INFO  jepsen.util - 0   :invoke :write  3",
    ...     "{:process 1, :type :invoke, :f :read, :value nil}",
    ...     "INFO  jepsen.util - 0   :ok     :write  3",
    ... ])  # doctest: +NORMALIZE_WHITESPACE
    [Operation(client=0, call=1, response=3, input=('write', 3), output=None),
     Operation(client=1, call=2, response=None, input=('read',), output=None)]
    """
    if isinstance(source, str | os.PathLike):
        name, lines = f"{os.fspath(source)}, ", Path(source).read_text(encoding="utf-8").splitlines()
    else:
        name, lines = "", list(source)
    under_way: dict[Any, tuple[int, Event]] = {}
    operations: dict[int, Operation] = {}
    for number, line in enumerate(lines, 1):
        try:
            event = read_event(line)
            if event is not None:
                _add(event, number, under_way, operations)
        except ValueError as error:
            raise CorruptDataError(f"{name}line {number}: {error}: {line.strip()[:80]!r}") from error
    return [operations[number] for number in sorted(operations)]


def read_event(line: str) -> Event | None:
    """Read a line; None if it is blank or the nemesis'. ValueError says what is wrong with it."""
    line = line.strip()
    if not line:
        return None
    if line.startswith("{"):
        content, place = read_value(line, 0)
        if line[place:].strip():
            raise ValueError("something follows the map")
        missing = [name for name in (":process", ":type", ":f", ":value") if name not in content]
        if missing:
            raise ValueError(f"the map has no {missing[0]}")
        process, kind, function, value = (content[name] for name in (":process", ":type", ":f", ":value"))
        value = content.get(":error") or value
    else:
        match = LOG_LINE.fullmatch(line)
        if match is None:
            raise ValueError("this is no event of a history")
        content = {}
        process, kind, function = match[1], f":{match[2]}", f":{match[3]}"
        process = int(process) if process.isdecimal() else process
        value, place = read_value(match[4], 0)
        # A second value is an error, which takes the place of the first.
        value = match[4][place:].strip() or value
    if process == NEMESIS:
        return None
    if not isinstance(process, int):
        raise ValueError(f"the process is {process!r}, not a number")
    if not (isinstance(kind, str) and kind[1:] in TYPES and isinstance(function, str)):
        raise ValueError(f"the type is {kind!r}, not one of {', '.join(TYPES)}")
    return Event(process, kind[1:], function[1:], value, content.get(":key"), ":key" in content)


def _add(event: Event, number: int, under_way: dict[Any, tuple[int, Event]], operations: dict[int, Operation]) -> None:
    process, kind, function, value, key, keyed = event
    if kind == "invoke":
        if process in under_way:
            raise ValueError(f"process {process} calls, and has not been answered since line {under_way[process][0]}")
        under_way[process] = number, event
        arguments = () if value is None else value if function == "cas" and isinstance(value, tuple) else (value,)
        asked = (function, *([key] if keyed else []), *arguments)
        operations[number] = Operation(process, number, None, asked, None)
        return
    if process not in under_way:
        raise ValueError(f"process {process} is answered, and has called nothing")
    line, call = under_way.pop(process)
    if (function, key) != (call.function, call.key):
        raise ValueError(f"process {process} is answered otherwise than it has called in line {line}")
    if kind == "info":
        return
    compared = kind == "fail" and function == "cas" and value == call.value
    if kind == "fail" and not compared:
        del operations[line]
        return
    if function in ("read", "get"):
        output = value
    else:
        if value != call.value:
            raise ValueError(f"process {process} has called with another value in line {line}")
        output = not compared if function == "cas" else None
    operations[line] = operations[line]._replace(response=number, output=output)
