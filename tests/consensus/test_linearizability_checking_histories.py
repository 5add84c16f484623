"""Histories as Jepsen writes them: what is read, and what is refused."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smlib.consensus import Operation, read_jepsen_history
from smlib.consensus.linearizability_checking.clojure_notation import read_value
from smlib.errors import CorruptDataError

LOG = """\
INFO  jepsen.util - 0\t:invoke\t:read\tnil
INFO  jepsen.util - 1\t:invoke\t:write\t4
INFO  jepsen.util - :nemesis\t:info\t:start\tnil
INFO  jepsen.util - 0\t:ok\t:read\tnil
INFO  jepsen.util - 2\t:invoke\t:cas\t[4 0]

INFO  jepsen.util - 3\t:invoke\t:cas\t[1 2]
INFO  jepsen.util - 2\t:ok\t:cas\t[4 0]
INFO  jepsen.util - 3\t:fail\t:cas\t[1 2]
INFO  jepsen.util - 1\t:info\t:write\t:timed-out
INFO  jepsen.util - 4\t:invoke\t:read\tnil
INFO  jepsen.util - 5\t:invoke\t:cas\t[1 2]
INFO  jepsen.util - 6\t:invoke\t:write\t3
INFO  jepsen.util - 4\t:fail\t:read\t:timed-out
INFO  jepsen.util - 5\t:fail\t:cas\t[1 2]\t:connection-refused
"""


def test_a_log(tmp_path: Path) -> None:
    expected = [
        Operation(0, 1, 4, ("read",), None),
        Operation(1, 2, None, ("write", 4), None),
        Operation(2, 5, 8, ("cas", 4, 0), True),
        Operation(3, 7, 9, ("cas", 1, 2), False),
        Operation(6, 13, None, ("write", 3), None),
    ]
    path = tmp_path / "log"
    path.write_text(LOG)
    assert read_jepsen_history(path) == expected
    assert read_jepsen_history(str(path)) == expected
    assert read_jepsen_history(LOG.splitlines()) == expected
    assert read_jepsen_history([]) == []


def test_maps() -> None:
    lines = [
        '{:process 9, :type :invoke, :f :append, :key "k", :value "x \\"9\\" y"}',
        '{:process 4, :type :invoke, :f :get, :key "k", :value nil}',
        '{:index 7, :time 33, :process 4, :type :ok, :f :get, :key "k", :value ""}',
        '{:process 9 :type :ok :f :append :key "k" :value "x \\"9\\" y"}',
        "{:process :nemesis, :type :info, :f :kill, :value {:n1 [1 2]}}",
        '{:process 4, :type :invoke, :f :put, :key "k", :value "z"}',
        '{:process 4, :type :fail, :f :put, :key "k", :value "z", :error :refused}',
    ]
    assert read_jepsen_history(lines) == [
        Operation(9, 1, 4, ("append", "k", 'x "9" y'), None),
        Operation(4, 2, 3, ("get", "k"), ""),
    ]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("nonsense", "line 2: this is no event of a history: 'nonsense'"),
        ("INFO  jepsen.util - 0 :ok :write 4", "process 0 is answered otherwise than it has called in line 1"),
        ("INFO  jepsen.util - 1 :ok :read 4", "process 1 is answered, and has called nothing"),
        ("INFO  jepsen.util - 0 :invoke :read nil", "process 0 calls, and has not been answered since line 1"),
        ("INFO  jepsen.util - 0 :done :read 4", "the type is ':done', not one of invoke, ok, fail, info"),
        ("INFO  jepsen.util - zero :ok :read 4", "the process is 'zero', not a number"),
        ("INFO  jepsen.util - 0 :ok :read [4", "no value begins at column 3"),
        ("INFO  jepsen.util - 0 :ok :read", "this is no event"),
        ("{:process 0, :type :ok, :f :read}", "the map has no :value"),
        ("{:process 0, :type :ok, :f :read, :value nil} 7", "something follows the map"),
        ("{:process 0, :type :ok, :f :read, :value}", "a map must have a name and a value in turn"),
        ("{:process 0, :type :ok, :f :read, :value 4", "no value begins at column"),
        ('{:process 0, :type :ok, :f :read, :value "\\q"}', "there is no escape"),
        ("{:process 0, :type :ok, :f :read, :value 4.5}", "no value begins at column"),
        ("{:process 0, :type :ok, :f :read, :value " + "[" * 60, "brackets are nested too deeply"),
    ],
)
def test_damage(line: str, message: str, tmp_path: Path) -> None:
    lines = ["INFO  jepsen.util - 0 :invoke :read nil", line]
    with pytest.raises(CorruptDataError, match="line 2: ") as caught:
        read_jepsen_history(lines)
    assert message in str(caught.value)
    path = tmp_path / "history.log"
    path.write_text("\n".join(lines))
    with pytest.raises(CorruptDataError) as caught:
        read_jepsen_history(path)
    assert str(caught.value).startswith(f"{path}, line 2: ")


def test_an_answer_with_another_value() -> None:
    lines = ["INFO  jepsen.util - 0 :invoke :write 4", "INFO  jepsen.util - 0 :ok :write 5"]
    with pytest.raises(CorruptDataError, match="line 2: process 0 has called with another value in line 1"):
        read_jepsen_history(lines)


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    with contextlib.suppress(CorruptDataError):
        read_jepsen_history(["INFO  jepsen.util - 0 :invoke :read nil", text])


VALUES: Any = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text('ab "\\\n\t', max_size=5),
    lambda inner: st.lists(inner, max_size=3).map(tuple) | st.dictionaries(st.sampled_from([":a", ":b-c"]), inner),
    max_leaves=8,
)


CONSTANTS = {None: "nil", True: "true", False: "false"}


def write_value(value: Any) -> str:
    if isinstance(value, tuple):
        return f"[{' '.join(map(write_value, value))}]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{name} {write_value(item)}" for name, item in value.items()) + "}"
    if isinstance(value, str):
        return '"' + "".join({"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t"}.get(c, c) for c in value) + '"'
    return str(value) if value is not None and not isinstance(value, bool) else CONSTANTS[value]


@given(VALUES)
def test_values_come_back(value: Any) -> None:
    text = write_value(value)
    assert read_value(f"  {text} ", 0) == (value, len(text) + 2)
