"""The index against a plain dict of signatures, and its file against every damage."""

from __future__ import annotations

import os
import random
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from smlib._core.hashing import crc32c
from smlib.errors import CorruptDataError, InputError
from smlib.mining import LSHIndex, MinHasher
from smlib.mining.locality_sensitive_hashing.index_file import decode_index

SEARCH = int(os.environ.get("SMLIB_SEARCH", "50"))
BANDS, ROWS, HASHES = 3, 2, 7
KEYS = st.integers(-3, 3) | st.sampled_from(["", "a", "é", "\ud800", b"", b"a", 2**70, -(2**63)])
SIGNATURES = st.lists(st.integers(0, 2), min_size=HASHES, max_size=HASHES)


def agrees(one: list[int], other: list[int]) -> bool:
    return any(one[b * ROWS : (b + 1) * ROWS] == other[b * ROWS : (b + 1) * ROWS] for b in range(BANDS))


class IndexMachine(RuleBasedStateMachine):
    """An index does what a dict does that is searched from end to end."""

    def __init__(self) -> None:
        super().__init__()
        self.index = LSHIndex(HASHES, bands=BANDS, rows=ROWS)
        self.model: dict[Any, list[int]] = {}

    @rule(key=KEYS, signature=SIGNATURES)
    def insert(self, key: Any, signature: list[int]) -> None:
        if key in self.model:
            with pytest.raises(InputError, match="is in the index already"):
                self.index.insert(key, signature)
        else:
            self.index.insert(key, signature)
            self.model[key] = signature

    @rule(signature=SIGNATURES, count=st.integers(0, 40))
    def insert_many(self, signature: list[int], count: int) -> None:
        begin = 1000 + len(self.model) * 100
        if any(key in self.model for key in range(begin, begin + count)):
            return
        rows = [[(value + k) % 3 for value in signature] for k in range(count)]
        self.index.insert_many(range(begin, begin + count), np.array(rows, np.uint8).reshape(-1, HASHES))
        self.model |= dict(zip(range(begin, begin + count), rows, strict=True))

    @rule(key=KEYS)
    def remove(self, key: Any) -> None:
        if key in self.model:
            self.index.remove(key)
            del self.model[key]
        else:
            with pytest.raises(KeyError):
                self.index.remove(key)

    @rule(share=st.floats(0, 1))
    def remove_many(self, share: float) -> None:
        for key in list(self.model)[: int(share * len(self.model))]:
            self.index.remove(key)
            del self.model[key]

    @rule(signature=SIGNATURES)
    def query(self, signature: list[int]) -> None:
        assert self.index.query(signature) == [key for key, some in self.model.items() if agrees(some, signature)]

    @rule()
    def save_and_load(self) -> None:
        path = Path(self.folder) / "index"
        self.index.save(path)
        self.index = LSHIndex.load(path)

    @invariant()
    def has_the_same_keys(self) -> None:
        assert list(self.index) == list(self.model)
        assert len(self.index) == len(self.model)
        assert all(key in self.index for key in self.model)
        assert "nowhere" not in self.index

    folder = ""


def test_any_course_of_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "fsync", lambda _: None)

    class Machine(IndexMachine):
        folder = str(tmp_path)

    Machine.TestCase().runTest()


@pytest.mark.interpreted
def test_an_index_of_texts() -> None:
    hasher = MinHasher(128, rng=1, width=2)
    texts = {"dog": "the dog bit the man", "cat": "a cat sat on the mat", "dogs": "the dog bit the man again"}
    index = LSHIndex(bands=32, rows=4)
    index.insert_many(texts, hasher.signatures(texts.values()))
    assert repr(index) == "<LSHIndex of 3 signatures, 32 bands of 4 rows>"
    assert index.query(hasher.signatures(["the dog bit the man"])[0]) == ["dog", "dogs"]
    index.remove("dog")
    assert index.query(hasher.signatures(["the dog bit the man"])[0]) == ["dogs"]
    index.insert("dog", hasher.signatures(["a cat sat on the mat"])[0])
    assert index.query(hasher.signatures(["a cat sat on the mat"])[0]) == ["cat", "dog"]
    chosen = LSHIndex(128, 0.8)
    assert (chosen.bands, chosen.rows, chosen.num_hashes) == (9, 13, 128)


def test_one_by_one_and_all_at_once_are_the_same() -> None:
    generator = np.random.default_rng(1)
    signatures = generator.integers(0, 3, (500, 12))
    once, one_by_one = LSHIndex(12, bands=4, rows=3), LSHIndex(12, bands=4, rows=3)
    once.insert_many(range(500), signatures)
    for number, signature in enumerate(signatures):
        one_by_one.insert(number, signature)
    for number in range(0, 500, 3):
        once.remove(number)
        one_by_one.remove(number)
    for signature in signatures[::7]:
        assert once.query(signature) == one_by_one.query(signature)
        assert len(once.query(signature)) > 16


def test_nothing_is_added_where_something_is_wrong() -> None:
    index = LSHIndex(4, bands=2, rows=2)
    index.insert("a", [1, 2, 3, 4])
    for keys in (["b", "a"], ["b", "b"], ["b"], ["b", "c", "d"]):
        with pytest.raises(InputError):
            index.insert_many(keys, [[1, 2, 3, 4], [1, 2, 3, 4]])
        assert list(index) == ["a"]
        assert index.query([1, 2, 3, 4]) == ["a"]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda index: LSHIndex(128), "pass threshold, or bands and rows: one of the two"),
        (lambda index: LSHIndex(128, 0.5, bands=2, rows=2), "pass threshold, or bands and rows"),
        (lambda index: LSHIndex(128, bands=2), "pass threshold, or bands and rows"),
        (lambda index: LSHIndex(128, 0.0), "threshold is 0.0"),
        (lambda index: LSHIndex(10, bands=4, rows=3), "4 bands of 3 rows need more than 10 values"),
        (lambda index: LSHIndex(0, 0.5), "num_hashes is 0"),
        (lambda index: LSHIndex(4, bands=0, rows=1), "bands is 0"),
        (lambda index: LSHIndex(2**16 + 1, bands=1, rows=1), "an index takes signatures of up to 65536"),
        (lambda index: index.query([1, 2, 3]), r"shape \(1, 3\) .* it must be rows of 4 whole numbers"),
        (lambda index: index.query([1.0, 2.0, 3.0, 4.0]), "type float64; it must be rows of 4 whole numbers"),
        (lambda index: index.insert("b", [[1, 2, 3, 4]]), "it must be rows of 4 whole numbers"),
        (lambda index: index.insert("a", [1, 2, 3, 4]), "the key 'a' is in the index already"),
        (lambda index: index.insert_many(["b", "b"], [[1, 2, 3, 4]] * 2), "the key 'b' comes twice"),
        (lambda index: index.insert_many(["b"], [[1, 2, 3, 4]] * 2), "there are 1 keys and 2 signatures"),
    ],
)
def test_bad_input_is_named(call: Any, message: str) -> None:
    index = LSHIndex(4, bands=2, rows=2)
    index.insert("a", [1, 2, 3, 4])
    with pytest.raises(InputError, match=message):
        call(index)


# The file.


def example() -> LSHIndex:
    index = LSHIndex(6, bands=2, rows=3)
    index.insert_many(["a", b"b", -300, 0], np.arange(24).reshape(4, 6))
    return index


def test_the_file_byte_by_byte(tmp_path: Path) -> None:
    """Read by another hand, from the description."""
    example().save(tmp_path / "index")
    blob = (tmp_path / "index").read_bytes()
    assert blob[:32] == b"smL1" + struct.pack("<IIIQQ", 6, 3, 2, 4, 4 * 5 + 1 + 1 + 2 + 1)
    assert blob[32:57] == (b"\x01\x01\0\0\0a\x02\x01\0\0\0b\x00\x02\0\0\0\xd4\xfe\x00\x01\0\0\0\x00")
    assert len(blob) == 57 + 8 * 2 * 4 + 4
    assert struct.unpack("<I", blob[-4:])[0] == crc32c(blob[:-4])
    read = LSHIndex.load(tmp_path / "index")
    assert list(read) == ["a", b"b", -300, 0]
    assert (read.num_hashes, read.bands, read.rows) == (6, 2, 3)
    assert read.query([0, 1, 2, 21, 22, 23]) == ["a", 0]


def test_a_file_holds_keys_of_three_types_and_no_others(tmp_path: Path) -> None:
    path = tmp_path / "index"
    example().save(path)
    before = path.read_bytes()
    for key in (1.5, True, ("a",), None):
        index = LSHIndex(6, bands=2, rows=3)
        index.insert(key, range(6))
        assert index.query(range(6)) == [key]
        with pytest.raises(InputError, match="a file holds int, str and bytes"):
            index.save(path)
    assert path.read_bytes() == before
    assert os.listdir(tmp_path) == ["index"]


def test_a_failure_leaves_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "index"
    example().save(path)
    before = path.read_bytes()

    def fail(*_: Any) -> None:
        raise OSError("no room")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="no room"):
        LSHIndex(6, bands=2, rows=3).save(path)
    assert path.read_bytes() == before
    assert os.listdir(tmp_path) == ["index"]
    with pytest.raises(FileNotFoundError):
        LSHIndex.load(tmp_path / "other")
    with pytest.raises(FileNotFoundError):
        example().save(tmp_path / "nowhere" / "index")


@pytest.mark.untrusted
def test_every_damage_is_noticed(tmp_path: Path) -> None:
    """Each byte changed to each other one at a bit's distance and at random, each cut, and bytes behind the end."""
    path, draw = tmp_path / "index", random.Random(1)
    example().save(path)
    blob = path.read_bytes()
    variants = [blob[:size] for size in range(len(blob))] + [blob + b"\0", blob + blob, b"\0" + blob]
    for place in range(len(blob)):
        changes = (*(1 << bit for bit in range(8)), draw.randrange(1, 256))
        variants += [blob[:place] + bytes([blob[place] ^ change]) + blob[place + 1 :] for change in changes]
    for variant in variants:
        with pytest.raises(CorruptDataError, match=r"index is (damaged|no index)"):
            decode_index(variant, path)
    path.write_bytes(blob[:-1])
    with pytest.raises(CorruptDataError, match="its checksum is wrong"):
        LSHIndex.load(path)


def reseal(content: bytes) -> bytes:
    return content + struct.pack("<I", crc32c(content))


@pytest.mark.untrusted
def test_forged_files_are_refused_or_harmless(tmp_path: Path) -> None:
    """With a right checksum: an index comes out that answers, or CorruptDataError, and no memory is asked for."""
    path, draw = tmp_path / "index", random.Random(2)
    example().save(path)
    content, outcomes = path.read_bytes()[:-4], set()
    for _ in range(40 * SEARCH):
        changed = bytearray(content)
        for _ in range(draw.choice([1, 1, 2, 4])):
            changed[draw.randrange(len(changed))] = draw.choice([0, 1, 2, 3, 4, 127, 128, 255, draw.randrange(256)])
        changed = changed[: draw.choice([len(changed), len(changed), draw.randrange(len(changed))])]
        try:
            stored = decode_index(reseal(bytes(changed)), path)
        except CorruptDataError:
            outcomes.add("refused")
        else:
            outcomes.add("read")
            assert len(stored.keys) == stored.band_keys.shape[1]
            assert stored.band_keys.shape[0] * stored.rows <= stored.num_hashes
            path.write_bytes(reseal(bytes(changed)))
            index = LSHIndex.load(path)
            assert list(index) == stored.keys
            assert set(index.query(np.zeros(index.num_hashes, np.uint32))) <= set(stored.keys)
    assert outcomes == {"refused", "read"}


@pytest.mark.untrusted
@pytest.mark.parametrize(
    ("place", "bytes_there", "message"),
    [
        (8, struct.pack("<I", 0), "it claims 2 bands of 0 rows of 6 values"),
        (8, struct.pack("<I", 4), "it claims 2 bands of 4 rows of 6 values"),
        (4, struct.pack("<IIIQQ", 2**32 - 1, 1, 2**32 - 1, 0, 0), "it claims 4294967295 bands of 1 rows"),
        (16, struct.pack("<Q", 2**61), "bytes are not what its head claims"),
        (24, struct.pack("<Q", 24), "bytes are not what its head claims"),
        (33, struct.pack("<I", 2**31), "a key ends behind the keys, or is of no kind"),
        (32, b"\x07", "a key ends behind the keys, or is of no kind"),
        (37, b"\xff", "a key is no UTF-8"),
        (32, b"\x02\x01\0\0\0b", "it has no key of its own for each of 4 documents"),
        (51, b"\x00\x00\0\0\0\x00", "a key ends behind the keys"),
    ],
)
def test_what_is_wrong_is_said(tmp_path: Path, place: int, bytes_there: bytes, message: str) -> None:
    path = tmp_path / "index"
    example().save(path)
    content = bytearray(path.read_bytes()[:-4])
    content[place : place + len(bytes_there)] = bytes_there
    path.write_bytes(reseal(bytes(content)))
    with pytest.raises(CorruptDataError, match=message):
        LSHIndex.load(path)
