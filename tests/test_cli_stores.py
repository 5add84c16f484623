"""The commands that look at the file of a store: what they print, and their exit codes."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from smlib.cli import main
from smlib.storage import BPlusTree
from smlib.storage.lsm.tree import LSMTree
from tests.storage.lsm_folder import FILES, ITEMS, LOG, MANIFEST
from tests.test_cli import smlib


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """Return the file of a tree, alone in its folder."""
    path = tmp_path / "orders.db"
    with BPlusTree.open(path, page_size=512) as tree:
        tree.put_many({b"%03d" % k: b"x" * 40 for k in range(50)})
        tree[b"long"] = b"y" * 1000
    for other in tmp_path.iterdir():
        if other != path:
            other.unlink()
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return the folder of an LSM-tree."""
    path = tmp_path / "orders"
    path.mkdir()
    for name, content in FILES.items():
        (path / name).write_bytes(content)
    return path


def damage(path: Path, place: int) -> None:
    """Change a byte of a file."""
    content = bytearray(path.read_bytes())
    content[place] ^= 0x41
    path.write_bytes(content)


def root_of(path: Path) -> int:
    """Return the root that the newer meta page names."""
    content = path.read_bytes()
    newer = max((0, 512), key=lambda place: int.from_bytes(content[place + 16 : place + 24], "little"))
    return int.from_bytes(content[newer + 48 : newer + 56], "little")


def test_check_proves_a_file_and_leaves_it_alone(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    content = store.read_bytes()
    os.chmod(store, 0o400)
    assert main(["check", str(store)]) == 0
    text = capsys.readouterr().out
    assert "whole: invariants 1 to 6 of a B+tree hold" in text
    assert f"items 51, depth 2, pages {len(content) // 512}, transaction 4" in text
    assert f"Next:\n  smlib inspect {store}" in text
    assert store.read_bytes() == content
    assert list(store.parent.iterdir()) == [store]


def test_check_while_somebody_writes(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with BPlusTree.open(store) as tree:
        tree[b"new"] = b"1"
        assert main(["check", str(store)]) == 0
    assert "items 52" in capsys.readouterr().out


def test_check_names_the_file_and_the_byte_of_damage(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    place = root_of(store) * 512
    damage(store, place + 100)
    assert main(["check", str(store)]) == 1
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.startswith(f"smlib: {store}, byte {place}: page {place // 512} is damaged")
    assert told.err.count("\n") == 1


def test_check_tells_of_a_meta_page_that_is_lost(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    damage(store, 512 + 100)
    assert main(["check", str(store)]) == 0
    assert "but meta page 1 is not whole: the last commit was cut short" in capsys.readouterr().out


@pytest.mark.parametrize("command", ["check", "inspect"])
def test_what_is_no_store(command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "empty").touch()
    (tmp_path / "text").write_text("no store\n" * 1000)
    (tmp_path / "strange" / "CURRENT").mkdir(parents=True)
    for path, what in (
        ("none", "no such file"),
        (".", "no store"),
        ("strange", "no store"),
        ("empty", "no store"),
        ("text", "no store"),
    ):
        assert main([command, str(tmp_path / path)]) == 2
        told = capsys.readouterr()
        assert told.out == ""
        assert told.err.startswith(f"smlib: {tmp_path / path}: ")
        assert what in told.err


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the system has no pipes with names")
def test_a_pipe_is_not_waited_for(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert main(["check", str(tmp_path / "pipe")]) == 2
    assert "no store" in capsys.readouterr().err


def test_inspect_counts_pages(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["inspect", str(store)]) == 0
    text = capsys.readouterr().out
    assert "tree         items 51, depth 2, " in text
    assert "branches 1, overflow 3, " in text
    assert f"Next:\n  smlib inspect {store} --page {root_of(store)} one page, drawn" in text
    assert list(store.parent.iterdir()) == [store]


def test_inspect_draws_a_page(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = root_of(store)
    assert main(["inspect", str(store), "--page", str(root)]) == 0
    text = capsys.readouterr().out
    assert f"page {root}, byte {root * 512}: branch, whole" in text
    assert "b''  -> page " in text
    assert "Next:" in text
    assert main(["inspect", str(store), "--page", "1000"]) == 2
    assert "there is no page 1000; there are " in capsys.readouterr().err


def test_inspect_of_a_damaged_file_names_the_pages(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = root_of(store)
    damage(store, root * 512 + 100)
    assert main(["inspect", str(store)]) == 0
    text = capsys.readouterr().out
    assert f"damaged: page {root}, byte {root * 512}: its checksum does not fit (invariant 4)" in text
    assert f"--page {root} " in text
    assert main(["inspect", str(store), "--page", str(root)]) == 0
    assert "branch, DAMAGED: its checksum does not fit" in capsys.readouterr().out


def test_a_long_list_of_damage_is_cut_off(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with BPlusTree.open(store) as tree:
        tree.put_many({b"%05d" % k: b"z" * 100 for k in range(200)})
    content = bytearray(store.read_bytes())
    for leaf in (place for place in range(1024, len(content), 512) if content[place + 24] == 1):
        content[leaf + 100] ^= 1
    store.write_bytes(content)
    assert main(["inspect", str(store), "--json"]) == 0
    damaged = json.loads(capsys.readouterr().out)["damaged"]
    assert len(damaged) > 50
    assert main(["inspect", str(store)]) == 0
    text = capsys.readouterr().out
    assert text.count("damaged: ") == 20
    assert f"and {len(damaged) - 20} more; --json names them all" in text


def test_inspect_as_json(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["inspect", str(store), "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["tree"]["items"] == 51
    assert facts["pages"]["branch"] == 1
    assert facts["levels"][1]["cells"] == 51
    assert facts["damaged"] == {}
    assert main(["inspect", str(store), "--page", str(root_of(store)), "--json"]) == 0
    page = json.loads(capsys.readouterr().out)
    assert page["kind"] == "branch"
    assert page["cells"][0]["key"] == ""
    assert bytes.fromhex(page["beginning"]) == store.read_bytes()[page["number"] * 512 :][:64]


def test_pipes_get_no_colour(store: Path) -> None:
    done = smlib("inspect", str(store), NO_COLOR="1")
    assert done.returncode == 0
    assert done.stderr == ""
    assert "\x1b[" not in done.stdout


def test_check_proves_a_folder_and_leaves_it_alone(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for path in folder.iterdir():
        path.chmod(0o400)
    folder.chmod(0o500)
    assert main(["check", str(folder)]) == 0
    folder.chmod(0o700)
    assert capsys.readouterr().out == (
        f"whole: the manifest, the logs and the tables of an LSM-tree keep their invariants, and fit together\n"
        f"items {len(ITEMS)}, tables 3, levels 2, entries in tables 17, logs 1, last sequence 12\n"
        f"nothing leads to 000007.log, 000008.dbtmp, CURRENT.tmp: waste, which takes room and does no harm\n"
        f"Next:\n"
        f"  smlib inspect {folder} its files\n"
    )
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == FILES


def test_check_of_a_folder_while_somebody_writes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with LSMTree.open(tmp_path / "tree") as tree:
        tree[b"new"] = b"1"
        assert main(["check", str(tmp_path / "tree")]) == 0
        assert "items 1, tables 0, levels 0" in capsys.readouterr().out
        tree.flush()
        assert main(["check", str(tmp_path / "tree")]) == 0
        assert "items 1, tables 1, levels 1" in capsys.readouterr().out


def test_check_names_the_file_of_a_folder_that_is_damaged(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    damage(folder / "000005.ldb", 70)
    assert main(["check", str(folder)]) == 1
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.startswith(
        f"smlib: {folder}/000005.ldb, byte 69: the block that begins there is damaged: its check"
    )
    assert told.err.count("\n") == 1


def test_check_tells_of_a_commit_that_was_cut_short(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / LOG).write_bytes(FILES[LOG][:-1])
    assert main(["check", str(folder)]) == 0
    assert f"but {LOG} ends in a record that is not whole: the last commit was cut short" in capsys.readouterr().out


def test_inspect_shows_a_folder(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["inspect", str(folder)]) == 0
    text = capsys.readouterr().out
    assert f"manifest  {MANIFEST}, 210 bytes: edits 3\n" in text
    assert (
        "    1         5            405            12       3         snappy  10.0 bits, 6 probes  b'doe 000' .."
        in text
    )
    assert f"Next:\n  smlib inspect {folder} --file 000005.ldb one file of it" in text
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == FILES


def test_inspect_shows_a_file_of_a_folder(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name, what in (("000005.ldb", "  the index"), (LOG, "  b'cat'"), (MANIFEST, "takes table 4 from level 0")):
        assert main(["inspect", str(folder), "--file", name]) == 0
        text = capsys.readouterr().out
        assert what in text
        assert "damaged" not in text
        assert f"Next:\n  smlib inspect {folder} the whole folder" in text
        assert main(["inspect", str(folder), "--file", name, "--json"]) == 0
        facts = json.loads(capsys.readouterr().out)
        assert facts["size"] == len(FILES[name])
    for name in ("none", "../orders.db", "LOCK"):
        assert main(["inspect", str(folder), "--file", name]) == 2
        assert name in capsys.readouterr().err


def test_inspect_of_a_damaged_folder_names_files_and_bytes(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    damage(folder / "000004.ldb", 3)
    damage(folder / LOG, 50)
    assert main(["inspect", str(folder)]) == 0
    text = capsys.readouterr().out
    assert f"damaged: {LOG}, byte 34: the record there is damaged, and another one follows at byte 402" in text
    assert "damaged: 000004.ldb, byte 0: the block that begins there is damaged: its checksum does not fit" in text
    assert "--file 000004.ldb " in text
    assert main(["inspect", str(folder), "--file", "000004.ldb"]) == 0
    text = capsys.readouterr().out
    assert "DAMAGED: byte 0: the block that begins there is damaged" in text
    assert "\ndamaged: byte 0: the block that begins there is damaged" in text


def test_inspect_of_a_folder_without_its_manifest(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / MANIFEST).unlink()
    assert main(["inspect", str(folder)]) == 0
    text = capsys.readouterr().out
    assert f"damaged: CURRENT, byte 0: it names b'{MANIFEST}', which is not there" in text
    assert f"smlib inspect {folder} --json" in text


def test_inspect_of_a_folder_as_json(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["inspect", str(folder), "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["levels"][1] == {
        "level": 1,
        "tables": 2,
        "size": 550,
        "entries": 15,
        "smallest": b"ant".hex(),
        "largest": b"doe 011".hex(),
    }
    assert facts["manifest"]["log_number"] == 9
    assert facts["logs"][0]["changes"] == 4
    assert facts["damaged"] == {}
    assert next(file["name"] for file in facts["files"] if file["kind"] == "waste") == "000007.log"


def test_pages_are_those_of_a_file_and_files_those_of_a_folder(
    store: Path, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["inspect", str(folder), "--page", "1"]) == 2
    assert "this is a folder, which has no --page 1; it has --file NAME" in capsys.readouterr().err
    assert main(["inspect", str(store), "--file", "000005.ldb"]) == 2
    assert "this is a file, which has no --file 000005.ldb; it has pages: --page N" in capsys.readouterr().err
