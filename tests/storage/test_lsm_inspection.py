"""What is said of the folder of an LSM-tree: exact text, folders of LevelDB's own, and damage of every kind."""

from __future__ import annotations

import itertools
import random
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from smlib.errors import CorruptDataError, InputError, SmlibError, StorageError
from smlib.storage import LocalFileSystem, SimulatedDisk
from smlib.storage.filesystem import File, PathLike
from smlib.storage.lsm import inspection
from smlib.storage.lsm.batches import encode_batch
from smlib.storage.lsm.bloom import FILTER_NAME
from smlib.storage.lsm.drawing import (
    draw_file,
    draw_folder,
    draw_folder_proof,
    list_damage,
    listed,
    most_interesting,
    printable,
)
from smlib.storage.lsm.file_names import TABLE, file_name
from smlib.storage.lsm.folder_facts import FolderFacts
from smlib.storage.lsm.inspection import Proof, check_folder, inspect_file, inspect_folder, is_store
from smlib.storage.lsm.internal_keys import internal_key
from smlib.storage.lsm.log_facts import LogFacts, ManifestFacts
from smlib.storage.lsm.manifest import VersionEdit, encode_edit
from smlib.storage.lsm.stored_blocks import seal_blocks
from smlib.storage.lsm.table_building import FOOTER, MAGIC, build_table, handle, pack_names, seal
from smlib.storage.lsm.table_facts import TableFacts
from smlib.storage.lsm.tree import LSMTree
from tests.conftest import require
from tests.storage.disk_contents import contents
from tests.storage.lsm_folder import (
    BATCHES,
    COUNTING,
    EDITS,
    FILES,
    FOLDER,
    ITEMS,
    LOG,
    MANIFEST,
    NEWEST,
    OLDEST,
    SAID,
    TABLES,
    Files,
    batches_of,
    disk_with,
    edits_of,
    log_of,
    said_of,
    with_byte,
    write,
)
from tests.storage.lsm_table_tools import packed


def in_words(name: str, files: Files = FILES) -> str:
    return draw_file(inspect_file(disk_with(files), FOLDER, name))


def damage_of(files: Files) -> list[str]:
    """Return what inspect tells of damage; check must tell of some, too, if there is any, and name its file."""
    disk = disk_with(files)
    wrong = list_damage(inspect_folder(disk, FOLDER))
    if wrong:
        with pytest.raises(CorruptDataError) as caught:
            check_folder(disk, FOLDER)
        assert re.match(r"/?store/[\w.-]+, byte \d+: ", str(caught.value))
    else:
        check_folder(disk, FOLDER)
    return wrong


def test_the_folder_is_what_the_tree_says() -> None:
    with LSMTree.open(FOLDER, readonly=True, filesystem=disk_with(FILES)) as tree:
        assert dict(tree) == ITEMS


def test_a_proof_in_words() -> None:
    proof = check_folder(disk_with(FILES), FOLDER)
    assert proof == Proof(16, 17, 3, 2, 1, 12, (), ("000007.log", "000008.dbtmp", "CURRENT.tmp"))
    assert draw_folder_proof(proof) == [
        "whole: the manifest, the logs and the tables of an LSM-tree keep their invariants, and fit together",
        "items 16, tables 3, levels 2, entries in tables 17, logs 1, last sequence 12",
        "nothing leads to 000007.log, 000008.dbtmp, CURRENT.tmp: waste, which takes room and does no harm",
    ]


def test_a_folder_in_words() -> None:
    facts = inspect_folder(disk_with(FILES), FOLDER)
    assert list_damage(facts) == []
    assert most_interesting(facts) == "000005.ldb"
    assert (
        draw_folder(facts)
        == """\
folder    1,455 bytes, files 11
manifest  MANIFEST-000003, 210 bytes: edits 3
          tables 3, log 9, next file 10, last sequence 8
log       000009.log, 445 bytes: records 4, changes 4, of them deletions 2, sequences 9 to 12
current   CURRENT 16
aside     LOCK 0
waste     000007.log 25, 000008.dbtmp 10, CURRENT.tmp 5
foreign   notes.txt

level    tables          bytes       entries  keys
    0         1            194             2  b'ape' .. b'bee'
    1         2            550            15  b'ant' .. b'doe 011'

level     table          bytes       entries  blocks     compressed  filters              keys
    0         6            194             2       1           none  32.0 bits, 6 probes  b'ape' .. b'bee'
    1         4            145             3       1           none  none                 b'ant' .. b'cow'
    1         5            405            12       3         snappy  10.0 bits, 6 probes  b'doe 000' .. b'doe 011'"""
    )


def test_a_table_in_words() -> None:
    assert (
        in_words("000005.ldb")
        == """\
table     000005.ldb, 405 bytes: blocks 3
          entries 12, of them deletions 0, sequences 4 to 4
          keys b'doe 000' .. b'doe 011'

      byte     stored       size  compressed   entries  what
         0         64        462      snappy         4  b'doe 000' .. b'doe 003'
        69         64        462      snappy         4  b'doe 004' .. b'doe 007'
       138         71        463      snappy         4  b'doe 008' .. b'doe 011'
       214         25                   none            filters 1, each for 2,048 bytes, 10.0 bits a key, 6 probes
       244         48         48        none         1  the names of the filters
       297         55         71      snappy         3  the index
       357         48                                   the footer

behind each part but the footer stand 5 bytes: how it is compressed, and its checksum"""
    )
    assert "        57          8          8        none         0  the names of the filters\n" in in_words(
        "000004.ldb"
    )


def test_deletions_are_counted() -> None:
    assert "entries 2, of them deletions 1, sequences 7 to 8" in in_words("000006.ldb")


def test_a_log_in_words() -> None:
    assert (
        in_words(LOG)
        == """\
log       000009.log, 445 bytes: records 4, changes 4, of them deletions 2, sequences 9 to 12

      byte       size        sequence     changes   deletions  first key
         0         34               9           2           1  b'cat'
        34        368              11           1           0  b'a key that i'...b' shown of it'
       402         19              12           0           0
       421         24              12           1           1  b'ant'"""
    )
    many = batches_of([(k, [(b"%d" % k, b"")]) for k in range(9, 59)])
    assert in_words(LOG, {**FILES, LOG: many}).endswith("b'28'\nand 30 more")


def test_a_manifest_in_words() -> None:
    assert (
        in_words(MANIFEST)
        == """\
manifest  MANIFEST-000003, 210 bytes: edits 3
          tables 3, log 9, next file 10, last sequence 8

byte 0 +43
    the order of keys is b'leveldb.BytewiseComparator'
    log 2, next file 3, last sequence 0

byte 43 +79
    log 7, next file 8, last sequence 3
    adds table 4 to level 0: 145 bytes, b'ant' .. b'cow'
    adds table 5 to level 1: 405 bytes, b'doe 000' .. b'doe 011'

byte 122 +88
    log 9, next file 10, last sequence 8
    the next merge of level 0 begins behind b'cow'
    takes table 4 from level 0
    adds table 4 to level 1: 145 bytes, b'ant' .. b'cow'
    adds table 6 to level 0: 194 bytes, b'ape' .. b'bee'"""
    )


def test_what_is_behind_the_last_record() -> None:
    """A crash has left a part of a commit, or zeros of a file that was made longer before."""
    cut = {**FILES, LOG: FILES[LOG][:-1]}
    assert "log       000009.log, 444 bytes: records 3, changes 3, of them deletions 1, sequences 9 to 11" in in_words(
        LOG, cut
    )
    assert "; 23 bytes behind, from byte 421 on, are a record that is not whole\n" in in_words(LOG, cut)
    proof = check_folder(disk_with(cut), FOLDER)
    assert proof.cut_off == (LOG,)
    assert (
        draw_folder_proof(proof)[2]
        == "but 000009.log ends in a record that is not whole: the last commit was cut short"
    )
    zeros = {**FILES, LOG: FILES[LOG] + bytes(70_000)}
    assert "sequences 9 to 12; 70,000 bytes behind, from byte 445 on, are zeros\n" in in_words(LOG, zeros)
    assert check_folder(disk_with(zeros), FOLDER).cut_off == ()
    assert damage_of(cut) == damage_of(zeros) == []
    # A crash may take a sector of a commit that was not synced, and leave later ones.
    lost = {**FILES, LOG: FILES[LOG][:34] + bytes(368) + FILES[LOG][402:]}
    assert damage_of(lost) == []
    assert check_folder(disk_with(lost), FOLDER).cut_off == (LOG,)
    torn = {**FILES, MANIFEST: FILES[MANIFEST] + encode_edit(EDITS[1])}
    assert check_folder(disk_with(torn), FOLDER).cut_off == (MANIFEST,)


def test_a_store_without_anything() -> None:
    disk = SimulatedDisk(seed=1)
    LSMTree.open(FOLDER, filesystem=disk).close()
    assert check_folder(disk, FOLDER).items == 0
    facts = inspect_folder(disk, FOLDER)
    assert (facts.tables, facts.levels, facts.damaged) == ([], [], {})
    assert [log.records for log in facts.logs] == [0]
    assert "level" not in draw_folder(facts)
    assert most_interesting(facts) == next(file.name for file in facts.files if file.kind == "log")


def test_tables_of_level_0_are_told_with_the_newest_first() -> None:
    newer = build_table(packed([(b"zoo", 12 << 8 | 1, b"")]))
    edit = VersionEdit(next_file=11, last_sequence=12, added=((0, said_of(10, newer)),))
    facts = inspect_folder(disk_with({**manifest_with(edit), "000010.ldb": newer.data}), FOLDER)
    assert [(table.level, table.number) for table in facts.tables] == [(0, 10), (0, 6), (1, 4), (1, 5)]


def test_tables_of_the_first_versions_of_leveldb() -> None:
    files = {name.replace("000005.ldb", "000005.sst"): content for name, content in FILES.items()}
    assert damage_of(files) == []
    facts = inspect_folder(disk_with(files), FOLDER)
    assert [table.name for table in facts.tables] == ["000006.ldb", "000004.ldb", "000005.sst"]
    assert in_words("000005.sst", files).startswith("table     000005.sst, 405 bytes: blocks 3\n")
    both = {**FILES, "000005.sst": FILES["000005.ldb"]}
    assert "000005.sst" in check_folder(disk_with(both), FOLDER).waste


@pytest.mark.parametrize("name", ["none", "../store/000005.ldb", "000010.ldb", "CURRENT", "LOCK", "notes.txt", ""])
def test_files_of_which_nothing_is_known(name: str) -> None:
    with pytest.raises(InputError, match=r"there is no such file|this is no manifest, log or table"):
        inspect_file(disk_with(FILES), FOLDER, name)


def test_names_that_would_mislead_a_terminal() -> None:
    assert printable("\x1b[31m.ldb") == r"'\x1b[31m.ldb'"
    assert listed([str(k) for k in range(23)]).endswith("18, 19, 3 more")
    facts = inspect_folder(disk_with({**FILES, "\x1b[2J": b""}), FOLDER)
    assert "\x1b" not in draw_folder(facts)


@pytest.mark.parametrize("compression", [None, "snappy"])
def test_folders_of_leveldb(compression: str | None, tmp_path: Path) -> None:
    plyvel, dice = require("plyvel"), random.Random(3)
    items: dict[bytes, bytes] = {}
    options = {"bloom_filter_bits": 12, "block_size": 1000}
    for turn in range(2):
        with plyvel.DB(str(tmp_path), create_if_missing=True, compression=compression, **options) as db:
            # What it finds in its log when it is opened becomes a table, and nothing is merged of itself then.
            tables = re.findall(
                r"(?:--- level (\d) ---)|(?: (\d+):(\d+)\['([\w ]+)' @ \d+ : \d \.\. '([\w ]+)' @ \d+ : \d\])",
                db.get_property(b"leveldb.sstables").decode(),
            )
            for number in range(4000 if turn == 0 else 100):
                if number == 3500:
                    db.compact_range()
                key = b"key %d" % dice.randrange(2000)
                if dice.random() < 0.2:
                    db.delete(key)
                    items.pop(key, None)
                else:
                    items[key] = b"word " * dice.randrange(20)
                    db.put(key, items[key])
    disk = LocalFileSystem()
    proof = check_folder(disk, str(tmp_path))
    facts = inspect_folder(disk, str(tmp_path))
    assert facts.damaged == {}
    assert proof.items == len(items)
    assert proof.last_sequence == 4100
    assert proof.entries == sum(table.entries for table in facts.tables)
    assert proof.tables == len(facts.tables) == 2
    level, expected = "", set()
    for row in tables:
        level = row[0] or level
        if row[1]:
            expected.add((int(level), int(row[1]), int(row[2]), row[3].encode(), row[4].encode()))
    found = {(row.level, row.number, row.size, row.smallest, row.largest) for row in facts.tables}
    assert found == expected
    assert all(table.probes == 8 for table in facts.tables)
    assert all(11.9 < (table.bits_per_key or 0) < 14 for table in facts.tables)
    assert all((table.compressed > 0) == (compression == "snappy") for table in facts.tables)
    for file in facts.files:
        if file.kind in ("table", "log", "manifest"):
            whole = inspect_file(disk, str(tmp_path), file.name)
            assert whole.damage == []
            assert file.name in draw_file(whole)


BLOCK = FILES["000004.ldb"][:57]
STRANGER = build_table(packed([(b"bat", 5 << 8 | 1, b""), (b"elk", 6 << 8 | 1, b"")]))


def manifest_with(*edits: VersionEdit) -> Files:
    """Return the folder with edits more."""
    return {**FILES, MANIFEST: edits_of([*EDITS, *edits])}


def log_with(*records: bytes) -> Files:
    """Return the folder with records more in its log."""
    return {**FILES, LOG: log_of([encode_batch(*BATCHES[0]), *records])}


@pytest.mark.untrusted
@pytest.mark.parametrize(
    ("files", "wrong"),
    [
        (with_byte("CURRENT", 3), "CURRENT, byte 0: b'MAN\\x08FEST-000003\\n' is no manifest's name and a line feed"),
        (
            {**FILES, "CURRENT": b"MANIFEST-000002\n"},
            "CURRENT, byte 0: it names b'MANIFEST-000002', which is not",
        ),
        (with_byte(MANIFEST, 50), f"{MANIFEST}, byte 43: the record there is damaged, and another one follows"),
        (manifest_with(EDITS[1]), f"{MANIFEST}, byte 210: the edit adds table 5 to level 1, where it is already"),
        (manifest_with(VersionEdit(next_file=3)), "with table 6, the next number 3, and the sequence 8"),
        (with_byte(LOG, 50), f"{LOG}, byte 34: the record there is damaged, and another one follows at byte 402"),
        (log_with(b"none"), f"{LOG}, byte 34: a record of 4 bytes is too short"),
        (
            log_with(encode_batch(10, [(b"a", b"")])),
            f"{LOG}, byte 34: the changes there begin with number 10, and",
        ),
        (
            {**FILES, "000011.log": batches_of([(12, [(b"a", b"")])])},
            "000011.log, byte 0: its changes begin with number 12, and the log before ends with 12",
        ),
        ({name: content for name, content in FILES.items() if name != LOG}, f"{LOG}, byte 0: the log is not there"),
        (with_byte("000004.ldb", 3), "000004.ldb, byte 0: the block that begins there is damaged: its checksum does"),
        (with_byte("000005.ldb", 70), "000005.ldb, byte 69: the block that begins there is damaged: its checksum does"),
        (with_byte("000005.ldb", 220), "000005.ldb, byte 214: the block that begins there is damaged: its checksum"),
        (with_byte("000005.ldb", 250), "000005.ldb, byte 244: the block that begins there is damaged: its checksum"),
        (with_byte("000005.ldb", 300), "000005.ldb, byte 297: the block that begins there is damaged: its checksum"),
        (with_byte("000005.ldb", 400), "000005.ldb, byte 397: the mark of a table is missing: this is none"),
        (with_byte("000005.ldb", 358), "000005.ldb, byte 357: what begins there leads to a block of 48 bytes at"),
        (
            {name: content for name, content in FILES.items() if name != "000005.ldb"},
            "000005.ldb, byte 0: the file is not there, and the manifest says that it is",
        ),
        (
            {**FILES, "000005.ldb": FILES["000005.ldb"] + b"+"},
            "000005.ldb, byte 405: the file has 406 bytes, and the manifest says 405",
        ),
        ({**FILES, "000005.ldb": b"short"}, "000005.ldb, byte 5: the file has 5 bytes, and the manifest says 405"),
        (
            manifest_with(VersionEdit(added=((1, said_of(8, STRANGER)),))) | {"000008.ldb": STRANGER.data},
            "000008.ldb, byte 0: its keys begin before those of table 4 end, which lies before it",
        ),
        (
            manifest_with(VersionEdit(added=((0, SAID[4]._replace(largest=internal_key(b"cow", 2))),))),
            "000004.ldb, byte 0: its keys are not those that the manifest says",
        ),
        (manifest_with(VersionEdit(last_sequence=7)), "000006.ldb, byte 0: it has change 8, and the last one was 7"),
    ],
)
def test_what_is_wrong(files: Files, wrong: str) -> None:
    assert any(wrong in line for line in damage_of(files)), damage_of(files)
    facts = inspect_folder(disk_with(files), FOLDER)
    assert draw_folder(facts)
    assert most_interesting(facts) is not None


@pytest.mark.untrusted
def test_what_can_be_shown_of_damaged_files() -> None:
    block = in_words("000005.ldb", with_byte("000005.ldb", 70))
    assert "        69         64          -      snappy            DAMAGED: byte 69: the block that begins" in block
    assert "entries 8, of them deletions 0" in block
    assert "  b'doe 008' .. b'doe 011'" in block
    assert "each for 2,048 bytes, 6 probes" in block
    folder = draw_folder(inspect_folder(disk_with(with_byte("000005.ldb", 70)), FOLDER))
    assert (
        "    1         5            405             8       3         snappy  6 probes             b'doe 000' .."
        in folder
    )
    assert "  the index\n" in block
    filters = in_words("000005.ldb", with_byte("000005.ldb", 220))
    assert "entries 12," in filters
    assert "probes" not in filters
    assert "none         1  the names of the filters" in filters
    index = inspect_file(disk_with(with_byte("000005.ldb", 300)), FOLDER, "000005.ldb")
    assert isinstance(index, TableFacts)
    assert (index.blocks, index.entries) == ([], 0)
    assert index.filters is not None
    assert "the index\n" not in draw_file(index)
    log = inspect_file(disk_with(with_byte(LOG, 410)), FOLDER, LOG)
    assert isinstance(log, LogFacts)
    assert (log.records, log.changes, log.end, log.cut_off) == (2, 3, 402, False)
    assert "no batch" in in_words(LOG, log_with(b"none"))
    later = log_with(b"none", encode_batch(11, [(b"later", b"")]))
    assert "b'later'" in in_words(LOG, later)
    manifest = inspect_file(disk_with(manifest_with(EDITS[1])), FOLDER, MANIFEST)
    assert isinstance(manifest, ManifestFacts)
    assert len(manifest.edits) == 4
    assert sorted(manifest.tables[1]) == [4, 5]


@pytest.mark.untrusted
def test_the_newest_manifest_is_shown_if_current_is_damaged() -> None:
    facts = inspect_folder(disk_with({**with_byte("CURRENT", 3), "MANIFEST-000002": b""}), FOLDER)
    assert facts.manifest is not None
    assert facts.manifest.path.endswith(MANIFEST)
    assert len(facts.tables) == 3
    lost = {name: content for name, content in FILES.items() if name != MANIFEST}
    facts = inspect_folder(disk_with(lost), FOLDER)
    assert (facts.manifest, facts.tables) == (None, [])
    assert "none can be read" in draw_folder(facts)
    assert most_interesting(facts) is None


def table_of(*parts: tuple[bytes, int]) -> bytes:
    """Return a table of sealed parts; the last two are the names and the index."""
    data, places = b"", []
    for content, kind in parts:
        places.append((len(data), len(content)))
        data += seal(np.frombuffer(content, np.uint8), kind)
    footer = b"".join(handle(*place) for place in places[-2:])
    return data + footer.ljust(FOOTER - 8, b"\0") + MAGIC.to_bytes(8, "little")


NOTHING = pack_names([], []).tobytes()
ENTRIES = BLOCK[:52]


def index_to(*handles: bytes) -> bytes:
    """Return an index that leads to blocks."""
    rows = b"".join(
        bytes((0, 9, len(place))) + b"%d" % k + b"\1" + b"\xff" * 7 + place for k, place in enumerate(handles)
    )
    return rows + bytes(4) + (1).to_bytes(4, "little")


@pytest.mark.untrusted
@pytest.mark.parametrize(
    ("data", "wrong"),
    [
        (table_of((NOTHING, 0), (NOTHING, 0)), "byte 13: the index that begins there leads to no block"),
        (table_of((ENTRIES, 0), (NOTHING, 0), (index_to(handle(0, 51)), 0)), "its checksum does not fit"),
        (table_of((ENTRIES, 0), (NOTHING, 0), (index_to(handle(0, 53)), 0)), "which does not lie before 57"),
        (table_of((ENTRIES, 0), (NOTHING, 0), (index_to(handle(2**60, 2**60)), 0)), "which does not lie before 57"),
        (table_of((ENTRIES, 0), (NOTHING, 0), (index_to(handle(0, 2**31 - 1)), 0)), "which does not lie before 57"),
        (
            table_of((ENTRIES, 0), (ENTRIES, 0), (NOTHING, 0), (index_to(handle(0, 52), handle(0, 52)), 0)),
            "byte 127: the index that begins there leads to a block at 0, which lies upon the one before",
        ),
        (
            table_of((ENTRIES, 0), (NOTHING, 0), (index_to(handle(0, 52) + b"\0"), 0)),
            "leads to a block at 0, which has 1 bytes too much said of it",
        ),
        (table_of((ENTRIES, 0), (NOTHING, 0), (index_to(b""), 0)), "within a number"),
        (table_of((ENTRIES, 7), (NOTHING, 0), (index_to(handle(0, 52)), 0)), "compressed in a way (7)"),
        (table_of((ENTRIES, 1), (NOTHING, 0), (index_to(handle(0, 52)), 0)), "cannot be decompressed"),
        (table_of((ENTRIES[:11] + b"\2" + ENTRIES[12:], 0), (NOTHING, 0), (index_to(handle(0, 52)), 0)), "byte 0"),
        (table_of((NOTHING, 0), (NOTHING, 0), (index_to(handle(0, 8)), 0)), "the keys of the block are missing"),
        (
            table_of((ENTRIES[:6] + b"\2" + ENTRIES[7:], 0), (NOTHING, 0), (index_to(handle(0, 52)), 0)),
            "byte 0: an entry of the block is neither a value nor a deletion",
        ),
        (
            table_of(
                (ENTRIES, 0),
                (bytes((9, 0, 0, 0, 0, 0, 0, 0, 11)), 0),
                (pack_names([FILTER_NAME], [handle(57, 9)]).tobytes(), 0),
                (index_to(handle(0, 52)), 0),
            ),
            "byte 57: the filters' begins do not increase, at their byte 0",
        ),
    ],
)
def test_tables_whose_checksums_all_fit(data: bytes, wrong: str) -> None:
    files = {**FILES, "000004.ldb": data}
    facts = inspect_file(disk_with(files), FOLDER, "000004.ldb")
    assert isinstance(facts, TableFacts)
    assert any(wrong in line for line in facts.damage), facts.damage
    assert draw_file(facts)
    said = SAID[4]._replace(size=len(data))
    edits = [*EDITS, VersionEdit(removed=((1, 4),), added=((1, said),))]
    assert damage_of({**files, MANIFEST: edits_of(edits)})


def look_in_every_way(files: Files) -> bool:
    """Return whether damage is told; nothing but our own errors may come, and check and inspect must agree."""
    disk = disk_with(files)
    facts: FolderFacts | None = None
    try:
        facts = inspect_folder(disk, FOLDER)
        assert draw_folder(facts)
        list_damage(facts)
        most_interesting(facts)
    except InputError:
        # Damage may say that the keys are in another order.
        pass
    for name in COUNTING:
        if name in files:
            assert draw_file(inspect_file(disk, FOLDER, name))
    try:
        check_folder(disk, FOLDER)
    except CorruptDataError:
        assert facts is not None
        assert facts.damaged
    except InputError:
        assert facts is None
    else:
        assert facts is not None
        assert facts.damaged == {}
    return facts is None or bool(facts.damaged)


@pytest.mark.untrusted
def test_every_file_is_damaged_and_cut_off() -> None:
    """What is not told lies in the last record of a log, or at a place of a table where nothing is."""
    for name in (*COUNTING, "CURRENT"):
        content = FILES[name]
        for place in range(0, len(content), 11):
            told = look_in_every_way(with_byte(name, place))
            last = 421 if name == LOG else len(content)
            assert told or place >= last or name.endswith(".ldb"), (name, place)
            told = look_in_every_way({**FILES, name: content[:place]})
            assert told or name == LOG, (name, place)


@pytest.mark.untrusted
def test_bytes_are_changed_at_random() -> None:
    dice = random.Random(7)
    for _ in range(60):
        files = FILES
        for _ in range(dice.choice((1, 3, 30))):
            name = dice.choice((*COUNTING, "CURRENT"))
            files = with_byte(name, dice.randrange(len(files[name])), files)
        look_in_every_way(files)


@pytest.mark.untrusted
def test_bytes_are_changed_at_random_and_all_is_sealed() -> None:
    """Whoever wants to do harm knows the checksums."""
    dice = random.Random(8)
    parts = {"000004.ldb": [(0, 52), (57, 8), (70, 22)], "000006.ldb": [(0, 39), (44, 18), (67, 47), (119, 22)]}
    records = [encode_batch(*batch) for batch in BATCHES]
    edits = [encode_edit(edit) for edit in EDITS]

    def change(content: bytes) -> bytes:
        place = dice.randrange(len(content))
        return (
            content[:place] + bytes((dice.choice((0, 1, 2, 7, 127, 255, dice.randrange(256))),)) + content[place + 1 :]
        )

    for _ in range(150):
        files = dict(FILES)
        for _ in range(dice.choice((1, 1, 2, 4))):
            name = dice.choice((LOG, MANIFEST, *parts))
            if name in parts:
                begin, size = dice.choice(parts[name])
                content = files[name]
                block = np.frombuffer(change(content[begin : begin + size]) + bytes(5), np.uint8).copy()
                seal_blocks(block, np.array([[0, size]]), np.array([content[begin + size]], np.uint8))
                files[name] = content[:begin] + block.tobytes() + content[begin + size + 5 :]
            else:
                payloads = list(records if name == LOG else edits)
                number = dice.randrange(len(payloads))
                payloads[number] = change(payloads[number])
                files[name] = log_of(payloads)
        look_in_every_way(files)


@pytest.mark.untrusted
def test_bytes_that_mean_nothing() -> None:
    dice = random.Random(9)
    for name, size in itertools.product((*COUNTING, "CURRENT"), (0, 1, 7, 48, 500)):
        look_in_every_way({**FILES, name: dice.randbytes(size)})


def test_another_order_of_keys() -> None:
    disk = disk_with({**FILES, MANIFEST: edits_of([EDITS[0]._replace(comparator=b"reverse")])})
    for look in (check_folder, inspect_folder):
        with pytest.raises(InputError, match="in the order b'reverse'"):
            look(disk, FOLDER)
    assert "the order of keys is b'reverse'" in draw_file(inspect_file(disk, FOLDER, MANIFEST))


def test_nothing_is_written(tmp_path: Path) -> None:
    disk = disk_with(FILES)
    calls = disk.calls
    check_folder(disk, FOLDER)
    inspect_folder(disk, FOLDER)
    for name in COUNTING:
        inspect_file(disk, FOLDER, name)
    assert contents(disk, FOLDER) == FILES
    assert disk.calls == calls
    assert not is_store(str(tmp_path))
    (tmp_path / "CURRENT").mkdir()
    assert not is_store(str(tmp_path))


class RestlessDisk(SimulatedDisk):
    """Somebody changes the folder whenever a file of some name is opened to be read."""

    def __init__(self, name: str, changes: list[Callable[[SimulatedDisk], object]]) -> None:
        super().__init__(seed=1)
        self.name = name
        self.changes = changes

    def open(self, path: PathLike, *, create: bool = False, readonly: bool = False) -> File:
        if readonly and str(path).endswith(self.name) and self.changes:
            self.changes.pop(0)(self)
        return super().open(path, create=create, readonly=readonly)


def restless(name: str, changes: list[Callable[[SimulatedDisk], object]]) -> RestlessDisk:
    disk = RestlessDisk(name, [])
    disk.make_directory(FOLDER)
    for file, content in FILES.items():
        write(disk, file, content)
    disk.changes = changes
    return disk


def flush(disk: SimulatedDisk) -> None:
    """Let what is in the log become a table, as a writer does it, at a bad time."""
    rows = [(b"cat", 9 << 8 | 1, b"meow")]
    built = build_table(packed(rows))
    write(disk, file_name(10, TABLE), built.data)
    write(disk, "000011.log", b"")
    edit = VersionEdit(log_number=11, next_file=12, last_sequence=12, added=((0, said_of(10, built)),))
    write(disk, MANIFEST, edits_of([*EDITS, edit]))
    disk.unlink(f"{FOLDER}/{LOG}")


def merge(disk: SimulatedDisk) -> None:
    """Let tables 4 and 6 become one, and delete them."""
    built = build_table(packed([OLDEST[0], NEWEST[0], OLDEST[2]]))
    write(disk, file_name(12, TABLE), built.data)
    edit = VersionEdit(next_file=13, removed=((0, 6), (1, 4)), added=((1, said_of(12, built)),))
    write(disk, MANIFEST, edits_of([*EDITS, edit]))
    for number in (4, 6):
        disk.unlink(f"{FOLDER}/{file_name(number, TABLE)}")


def test_a_flush_comes_in_between() -> None:
    """The manifest was read before, and the log that it names is looked for after."""
    for name in ("000009.log", MANIFEST, "CURRENT"):
        for skipped in range(4):
            disk = restless(name, [*[lambda _: None] * skipped, flush])
            proof = check_folder(disk, FOLDER)
            if not disk.changes:
                assert (proof.entries, proof.tables, proof.last_sequence) in ((18, 4, 12), (17, 3, 12)), (name, skipped)
            disk = restless(name, [*[lambda _: None] * skipped, flush])
            facts = inspect_folder(disk, FOLDER)
            assert facts.damaged == {}, (name, skipped)
            assert (len(facts.tables), len(facts.logs)) in ((4, 1), (3, 1))
            assert sum(log.changes for log in facts.logs) == (0 if len(facts.tables) == 4 else 4), (name, skipped)


def test_tables_that_are_merged_meanwhile_are_not_missed() -> None:
    disk = restless("000006.ldb", [lambda _: None, merge])
    facts = inspect_folder(disk, FOLDER)
    assert disk.changes == []
    assert facts.damaged == {}
    assert [table.number for table in facts.tables] == [12, 5]
    disk = restless("000006.ldb", [lambda _: None, merge])
    assert check_folder(disk, FOLDER).tables == 2


def test_damage_counts_if_it_is_found_again() -> None:
    broken, whole = with_byte(LOG, 50)[LOG], FILES[LOG]

    def break_log(disk: SimulatedDisk) -> None:
        write(disk, LOG, broken)

    def mend_log(disk: SimulatedDisk) -> None:
        write(disk, LOG, whole)

    disk = restless(LOG, [break_log, mend_log])
    assert check_folder(disk, FOLDER).items == 16
    assert disk.changes == []
    with pytest.raises(CorruptDataError, match="byte 34"):
        check_folder(restless(LOG, [break_log]), FOLDER)
    assert list_damage(inspect_folder(restless(LOG, [break_log]), FOLDER))
    assert inspect_file(restless(LOG, [break_log]), FOLDER, LOG).damage
    assert inspect_file(restless(LOG, [break_log, mend_log]), FOLDER, LOG).damage == []
    other = with_byte(LOG, 10)[LOG]
    disk = restless(LOG, [break_log, lambda disk: write(disk, LOG, other)] * 20)
    with pytest.raises(StorageError, match="try again when they rest"):
        inspect_file(disk, FOLDER, LOG)


def test_a_folder_that_is_never_at_rest() -> None:
    """Every look at CURRENT finds the manifest longer."""

    def grow(disk: SimulatedDisk) -> None:
        with disk.open(f"{FOLDER}/{MANIFEST}") as file:
            file.append(log_of([encode_edit(VersionEdit(next_file=50))]))

    for look in (check_folder, inspect_folder):
        disk = restless("CURRENT", [grow] * 1000)
        with pytest.raises(StorageError, match="try again when they rest"):
            look(disk, FOLDER)
        assert len(disk.changes) > 900


def test_a_tree_that_commits_meanwhile(monkeypatch: pytest.MonkeyPatch) -> None:
    disk = RestlessDisk("CURRENT", [])
    with LSMTree.open(FOLDER, filesystem=disk, write_buffer_size=300, block_size=100) as tree:
        tree.put_many({b"%03d" % k: b"" for k in range(50)})
        disk.changes = [lambda _, k=k: tree.put_many({b"new %d" % k: b"x" * 400}) for k in range(5)]  # type: ignore[misc]
        proof = check_folder(disk, FOLDER)
        assert disk.changes == []
        assert proof.items == 55
        disk.changes = [lambda _: tree.compact()]
        assert inspect_folder(disk, FOLDER).damaged == {}
    monkeypatch.setattr(inspection, "TRIES", 1)
    assert check_folder(disk, FOLDER).items == 55


def test_no_store() -> None:
    disk = disk_with({name: content for name, content in FILES.items() if name != "CURRENT"})
    for look in (check_folder, inspect_folder):
        with pytest.raises(SmlibError, match="CURRENT"):
            look(disk, FOLDER)
    assert TABLES
