"""Batches of changes: LevelDB's bytes, there and back, and damage."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smlib.errors import CorruptDataError, InputError
from smlib.storage.lsm import batches
from smlib.storage.lsm.batches import Change, decode_batch, encode_batch, encode_packed
from smlib.storage.lsm.entries import Entries, pack

MOST = (1 << 56) - 1

# Sizes of one byte and of two.
PARTS = st.one_of(st.binary(max_size=6), st.integers(120, 300).map(lambda size: bytes([size % 256]) * size))
CHANGES = st.lists(st.tuples(PARTS, st.none() | PARTS), max_size=12)
SEQUENCES = st.integers(0, MOST - 12)

CAT_AND_DOG: list[Change] = [(b"cat", b"meow"), (b"dog", None)]
HEX = "07 00 00 00 00 00 00 00 02 00 00 00 01 03 63 61 74 04 6d 65 6f 77 00 03 64 6f 67"


def packed(sequence: int, changes: list[Change]) -> Entries:
    tags = [(sequence + k) << 8 | (value is not None) for k, (_, value) in enumerate(changes)]
    # What stands for the value of a deletion is not looked at.
    return pack([key for key, _ in changes], tags, [b"?" if value is None else value for _, value in changes])


@pytest.mark.interpreted
def test_the_essay_by_hand() -> None:
    assert encode_batch(7, CAT_AND_DOG).hex(" ") == HEX
    assert encode_packed(packed(7, CAT_AND_DOG)).hex(" ") == HEX
    assert decode_batch(bytes.fromhex(HEX)) == (7, CAT_AND_DOG)


def test_long_keys_and_values() -> None:
    changes: list[Change] = [(b"k" * 300, b"v" * 70_000), (b"k" * 128, None), (b"", b"v" * 127), (b"k" * 127, b"")]
    batch = encode_batch(1, changes)
    assert batch[12:15] == bytes.fromhex("01 ac 02")
    assert batch[315:318] == bytes.fromhex("f0 a2 04")
    assert decode_batch(batch) == (1, changes)
    assert encode_packed(packed(1, changes)) == batch


@pytest.mark.interpreted
@given(SEQUENCES, CHANGES)
def test_what_was_encoded_is_decoded(sequence: int, changes: list[Change]) -> None:
    batch = encode_batch(sequence, changes)
    assert decode_batch(batch) == (sequence, changes)
    if changes:
        assert encode_packed(packed(sequence, changes)) == batch


def test_many_changes() -> None:
    dice = random.Random(3)
    changes: list[Change] = [
        (dice.randbytes(dice.randrange(200)), None if dice.random() < 0.3 else dice.randbytes(dice.randrange(300)))
        for _ in range(5000)
    ]
    batch = encode_batch(MOST - 4999, changes)
    assert encode_packed(packed(MOST - 4999, changes)) == batch
    assert decode_batch(batch) == (MOST - 4999, changes)


def test_a_batch_that_is_too_large(monkeypatch: pytest.MonkeyPatch) -> None:
    entries = packed(7, CAT_AND_DOG)
    monkeypatch.setattr(batches, "LARGEST", 40)
    with pytest.raises(InputError, match="may have 45 bytes; make several"):
        encode_packed(entries)
    with pytest.raises(CorruptDataError, match="too short or too long"):
        decode_batch(bytes(41))


@pytest.mark.untrusted
@pytest.mark.parametrize(
    ("blob", "message"),
    [
        ("07 00", "a record of 2 bytes is too short"),
        (HEX[:24] + "03" + HEX[26:], "should hold 3 changes, but it holds fewer"),
        (HEX[:24] + "01" + HEX[26:], "should hold 1 changes, but 5 bytes are left over"),
        (HEX[:24] + "08" + HEX[26:], "a batch of 27 bytes cannot hold 8 changes"),
        ("ff ff ff ff ff ff ff 00 02" + HEX[26:], "cannot hold 2 changes, from 72057594037927935 on"),
        (HEX[:36] + "02" + HEX[38:], "but one of them is neither a value nor a deletion"),
        (HEX[:36] + "ff" + HEX[38:], "but one of them is neither a value nor a deletion"),
        (HEX[:-11] + "04" + HEX[-9:], "but a key or a value does not lie within it"),
        (HEX[:39] + "7f" + HEX[41:], "but a key or a value does not lie within it"),
        (HEX + " 00", "but 1 bytes are left over"),
        # A size of five bytes with 35 bits, one that has no end, and none at all.
        ("07" + " 00" * 7 + " 01 00 00 00 01 ff ff ff ff 7f", "does not lie within it"),
        ("07" + " 00" * 7 + " 01 00 00 00 01 80 80 80 80", "does not lie within it"),
        ("07" + " 00" * 7 + " 01 00 00 00 01 00", "does not lie within it"),
    ],
)
def test_damage(blob: str, message: str) -> None:
    with pytest.raises(CorruptDataError) as caught:
        decode_batch(bytes.fromhex(blob), "000003.log", 90)
    assert message in str(caught.value)
    assert "000003.log, byte 90: a " in str(caught.value)


@pytest.mark.untrusted
@given(SEQUENCES, CHANGES, st.data())
def test_whatever_the_bytes_are(sequence: int, changes: list[Change], data: st.DataObject) -> None:
    """A batch that was changed is told, or is another batch: one that fills the record."""
    batch = bytearray(encode_batch(sequence, changes))
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(0, len(batch) - 1))
        batch[place] = data.draw(st.sampled_from((0, 1, 2, 127, 128, 255)))
    try:
        found, others = decode_batch(bytes(batch))
    except CorruptDataError:
        return
    assert len(encode_batch(found, others)) <= len(batch)
    assert found + len(others) <= MOST + 1


@pytest.mark.untrusted
@pytest.mark.interpreted
def test_every_batch_that_is_cut_off_is_told() -> None:
    for size in range(27):
        with pytest.raises(CorruptDataError):
            decode_batch(bytes.fromhex(HEX)[:size])
