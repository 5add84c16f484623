"""A table's file, taken apart: its blocks, filters, index and footer, whole or damaged.

Nothing is believed. The footer leads to the index and to the names, the index to the blocks, the names to the filters;
where one of them is damaged, what only it leads to is not shown. Blocks are read one by one, and one that is damaged
does not hide the others. If all of them are whole, the table is proved as a table.

Cost: O(bytes), which are read twice.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import numpy as np

from smlib.errors import CorruptDataError
from smlib.storage.filesystem import File
from smlib.storage.lsm.block_cache import BlockCache
from smlib.storage.lsm.blocks import MOST_BYTES
from smlib.storage.lsm.bloom import FILTER_NAME, TAIL, prove_filters
from smlib.storage.lsm.entries import Entries, first_disorder
from smlib.storage.lsm.internal_keys import DELETION, VALUE, user_key
from smlib.storage.lsm.manifest import FileFacts
from smlib.storage.lsm.stored_blocks import PLAIN, SNAPPY, TRAILER, decode_whole, load_block, read_sealed
from smlib.storage.lsm.table_building import FOOTER, HANDLES, MAGIC
from smlib.storage.lsm.tables import Table
from smlib.storage.lsm.varints import decode_varint
from smlib.storage.lsm.versions import TableFile, check_table
from smlib.storage.lsm.walking import first_key, last_key
from smlib.storage.packed_bytes import split

COMPRESSIONS = {PLAIN: "none", SNAPPY: "snappy"}
# A byte of bits, and the one that says how many are looked at.
SMALLEST_FILTER = 2
# In bytes, of a cache that is of no use here.
SMALLEST_CACHE = 1
# A block's position and its size.
Place = tuple[int, int]


@dataclass(frozen=True, slots=True)
class BlockFacts:
    """A block.

    Attributes
    ----------
    offset, stored : int
        Where it begins in the file, and its size there.
    compression : str
        "none", "snappy" or "unknown".
    size : int or None
        Decompressed. This and what follows is None if the block is damaged.
    entries, deletions : int or None
    first, last : bytes or None
        The first and the last key.
    damage : str or None
    """

    offset: int
    stored: int
    compression: str
    size: int | None = None
    entries: int | None = None
    deletions: int | None = None
    first: bytes | None = None
    last: bytes | None = None
    damage: str | None = None


@dataclass(frozen=True, slots=True)
class FilterFacts:
    """The filters.

    Attributes
    ----------
    offset, stored : int
        Where they begin in the file, and their size there.
    compression : str
        As of a block.
    filters, filled : int
        How many there are, and how many of them let anything pass.
    covers : int
        Of how many bytes of the file one of them knows the keys.
    bits : int
        Of all filters.
    probes : int
        How many of them are looked at for a key.
    """

    offset: int
    stored: int
    compression: str
    filters: int
    filled: int
    covers: int
    bits: int
    probes: int


@dataclass(slots=True)
class TableFacts:
    """A table; of one that is damaged, what could be read.

    Attributes
    ----------
    path : str
    size : int
        Of the file.
    blocks : list of BlockFacts
        In order.
    names, index, filters : BlockFacts, BlockFacts and FilterFacts, or None
        None where they are not led to; the filters also where there are none that are known here.
    entries, deletions : int
    smallest, largest : bytes or None
        Keys; None if there are no entries.
    first_sequence, last_sequence : int or None
    bits_per_key : float or None
        Of the filters, in the mean; None if there are none, or not all keys are known.
    damage : list of str
        What is wrong, each with its byte.
    """

    path: str
    size: int
    blocks: list[BlockFacts] = field(default_factory=list)
    names: BlockFacts | None = None
    index: BlockFacts | None = None
    filters: FilterFacts | None = None
    entries: int = 0
    deletions: int = 0
    smallest: bytes | None = None
    largest: bytes | None = None
    first_sequence: int | None = None
    last_sequence: int | None = None
    bits_per_key: float | None = None
    damage: list[str] = field(default_factory=list)

    @property
    def compressed(self) -> int:
        """How many blocks are compressed."""
        return sum(block.compression == COMPRESSIONS[SNAPPY] for block in self.blocks)


def read_table(file: File, said: FileFacts | None = None, last_sequence: int = 0) -> TableFacts:
    """Return what can be known of a table's file.

    Parameters
    ----------
    file : File
    said : FileFacts, optional
        What the manifest says of it; if given, this is proved, too.
    last_sequence : int
        As the manifest has it.
    """
    facts = TableFacts(file.path, file.size())
    with noting(facts):
        take_apart(file, facts)
    if said is not None and facts.size != said.size:
        facts.damage.insert(
            0, f"byte {min(facts.size, said.size)}: the file has {facts.size} bytes, and the manifest says {said.size}"
        )
    if not facts.damage:
        with noting(facts):
            table = Table(file, 0, facts.size, BlockCache(SMALLEST_CACHE))
            if said is None:
                table.verify()
            else:
                check_table(TableFile(table, said, user_key(said.smallest), user_key(said.largest)), last_sequence)
    return facts


class noting:  # noqa: N801  # reads as a verb: `with noting(facts)`
    """Writes down what is wrong with a file instead of raising it."""

    def __init__(self, facts: TableFacts) -> None:
        self.facts = facts

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> bool:
        if isinstance(error, CorruptDataError):
            self.facts.damage.append(str(error).removeprefix(f"{self.facts.path}, "))
            return True
        return False


def take_apart(file: File, facts: TableFacts) -> None:
    """Read the parts of a table, one after the other."""
    names, index = read_footer(file, facts.size)
    with noting(facts):
        facts.names, handles = read_names(file, names)
        if FILTER_NAME in handles:
            facts.filters = count_filters(file, read_handle(handles[FILTER_NAME], 0, file, names[0], names[0])[0])
    facts.index, separators = read_index(file, index)
    if separators is None:
        raise CorruptDataError(facts.index.damage)
    for place in places_of(file, separators, index[0], names[0]):
        block, entries = read_block(file, place)
        facts.blocks.append(block)
        if entries is None:
            facts.damage.append(str(block.damage))
        else:
            count(facts, block, entries)
    if not facts.blocks:
        raise CorruptDataError(f"byte {index[0]}: the index that begins there leads to no block")
    if facts.filters is not None and not facts.damage:
        facts.bits_per_key = facts.filters.bits / facts.entries


def count(facts: TableFacts, block: BlockFacts, entries: Entries) -> None:
    """Take a block into account."""
    facts.entries += entries.size
    facts.deletions += block.deletions or 0
    facts.smallest = block.first if facts.smallest is None else facts.smallest
    facts.largest = block.last
    first, last = int(entries.tags.min()) >> 8, int(entries.tags.max()) >> 8
    facts.first_sequence = first if facts.first_sequence is None else min(facts.first_sequence, first)
    facts.last_sequence = last if facts.last_sequence is None else max(facts.last_sequence, last)


def read_footer(file: File, size: int) -> tuple[Place, Place]:
    """Return where the names and the index are."""
    begin = max(size - FOOTER, 0)
    footer = file.read_at(begin, FOOTER)
    if len(footer) < FOOTER:
        raise CorruptDataError(f"byte {begin}: the file has {len(footer)} bytes, which is too short for a table")
    if int.from_bytes(footer[HANDLES:], "little") != MAGIC:
        raise CorruptDataError(f"byte {begin + HANDLES}: the mark of a table is missing: this is none")
    names, place = read_handle(footer[:HANDLES], 0, file, begin, begin)
    index, _ = read_handle(footer[:HANDLES], place, file, begin, begin)
    return names, index


def read_handle(data: bytes, place: int, file: File, offset: int, end: int) -> tuple[Place, int]:
    """Return where a block is, as it stands at a place in some data, and the place behind; it lies before an end."""
    begin, place = decode_varint(data, place, 64, file.path, offset)
    stored, place = decode_varint(data, place, 64, file.path, offset)
    if begin + stored + TRAILER > end or stored > MOST_BYTES:
        raise CorruptDataError(
            f"byte {offset}: what begins there leads to a block of {stored} bytes at {begin}, which does not lie "
            f"before {end}"
        )
    return (begin, stored), place


def places_of(file: File, separators: Entries, offset: int, end: int) -> Iterator[Place]:
    """Yield where the blocks are, as long as they lie where they may."""
    free = 0
    for handle in split(separators.values, separators.value_ends):
        place, read = read_handle(handle, 0, file, offset, end)
        if place[0] < free or read < len(handle):
            what = (
                "lies upon the one before" if place[0] < free else f"has {len(handle) - read} bytes too much said of it"
            )
            raise CorruptDataError(
                f"byte {offset}: the index that begins there leads to a block at {place[0]}, which {what}"
            )
        yield place
        free = sum(place) + TRAILER


def read_block(file: File, place: Place) -> tuple[BlockFacts, Entries | None]:
    """Return a block of entries, and these if it is whole."""
    block, entries = read_index(file, place)
    if entries is None:
        return block, None
    kinds = (entries.tags & 255).tolist()
    damage = None
    if not kinds or first_disorder(entries) >= 0:
        damage = f"byte {block.offset}: the keys of the block are missing or out of order (invariant 2)"
    elif max(kinds) > VALUE:
        damage = f"byte {block.offset}: an entry of the block is neither a value nor a deletion (invariant 2)"
    if damage is not None:
        return replace(block, damage=damage), None
    known = replace(block, deletions=kinds.count(DELETION), first=first_key(entries), last=last_key(entries))
    return known, entries


def read_index(file: File, place: Place) -> tuple[BlockFacts, Entries | None]:
    """Return the index, whose keys need only to part blocks, and these keys if it is whole."""
    facts = BlockFacts(*place, compression_of(file, place))
    try:
        block = load_block(file, *place)
        entries = decode_whole(file, block, place[0])
    except CorruptDataError as error:
        return replace(facts, damage=str(error).removeprefix(f"{file.path}, ")), None
    return replace(facts, size=len(block), entries=entries.size), entries


def compression_of(file: File, place: Place) -> str:
    """Return how a block says that it is compressed."""
    return COMPRESSIONS.get(int.from_bytes(file.read_at(sum(place), 1), "little"), "unknown")


def read_names(file: File, place: Place) -> tuple[BlockFacts, dict[bytes, bytes]]:
    """Return the block of names, and the handle that stands with each."""
    content = load_block(file, *place, tag_size=0)
    limit = len(content) - 4 - 4 * int.from_bytes(content[-4:], "little")
    handles: dict[bytes, bytes] = {}
    begin, name = 0, b""
    while begin < limit:
        shared, begin = decode_varint(content, begin, 32, file.path, place[0])
        rest, begin = decode_varint(content, begin, 32, file.path, place[0])
        value, begin = decode_varint(content, begin, 32, file.path, place[0])
        name = name[:shared] + content[begin : begin + rest]
        begin += rest + value
        handles[name] = content[begin - value : begin]
    return BlockFacts(*place, compression_of(file, place), len(content), len(handles)), handles


def count_filters(file: File, place: Place) -> FilterFacts:
    """Return what is known of the filters at a place."""
    content, here = read_sealed(file, np.array([place]))
    content = content[: int(here[0, 1])]
    wrong = int(prove_filters(np.frombuffer(content, np.uint8)))
    if wrong >= 0:
        raise CorruptDataError(f"byte {place[0]}: the filters' begins do not increase, at their byte {wrong}")
    listed = int.from_bytes(content[-TAIL:-1], "little")
    ends = [int.from_bytes(content[k : k + 4], "little") for k in range(listed, len(content) - 1, 4)]
    sizes = [end - begin for begin, end in itertools.pairwise(ends)]
    filled = [size for size in sizes if size >= SMALLEST_FILTER]
    last = max((end for (begin, end) in itertools.pairwise(ends) if end > begin), default=0)
    return FilterFacts(
        *place,
        compression_of(file, place),
        len(sizes),
        len(filled),
        1 << content[-1],
        8 * (sum(filled) - len(filled)),
        content[last - 1] if filled else 0,
    )
