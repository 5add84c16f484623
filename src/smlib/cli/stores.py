"""Commands that look into the files of stores, and write nothing."""

from __future__ import annotations

import argparse
import json
import os
import shlex
import sys
from typing import Any

from smlib.cli.terminal import at_work, name_next, open_console

# More lines about damage than this are counted and not printed.
MOST_LISTED = 20


def check(options: argparse.Namespace) -> int:
    """Prove that a store is whole."""
    from smlib.errors import CorruptDataError, SmlibError
    from smlib.storage.local_filesystem import LocalFileSystem

    try:
        kind = _kind_of_store(options.path)
        with at_work(f"proving {options.path}"):
            if kind == "file":
                from smlib.storage.bplustree.drawing import draw_proof
                from smlib.storage.bplustree.inspection import check_file

                lines, purpose = draw_proof(*check_file(LocalFileSystem(), options.path)), "what its pages are for"
            else:
                from smlib.storage.lsm.drawing import draw_folder_proof
                from smlib.storage.lsm.inspection import check_folder

                lines, purpose = draw_folder_proof(check_folder(LocalFileSystem(), options.path)), "its files"
    except SmlibError as error:
        print(f"smlib: {error}", file=sys.stderr)
        return 1 if isinstance(error, CorruptDataError) else 2
    console = open_console()
    for line in lines:
        style = "bold green" if line is lines[0] else "red" if line.startswith("but ") else None
        console.print(line, style=style, markup=False, soft_wrap=True)
    name_next(console, (f"smlib inspect {shlex.quote(options.path)}", purpose))
    return 0


def inspect(options: argparse.Namespace) -> int:
    """Show what is in a store."""
    from dataclasses import asdict

    from smlib.errors import SmlibError

    console = open_console()
    try:
        look = _look_into_file if _kind_of_store(options.path) == "file" else _look_into_folder
        with at_work(f"reading {options.path}"):
            facts, text, wrong, other, purpose = look(options)
    except SmlibError as error:
        print(f"smlib: {error}", file=sys.stderr)
        return 2
    if options.json:
        print(json.dumps(asdict(facts), indent=2, default=bytes.hex))
        return 0
    console.print(text, markup=False, soft_wrap=True)
    for line in wrong[:MOST_LISTED]:
        console.print(f"damaged: {line}", style="bold red", markup=False, soft_wrap=True)
    if len(wrong) > MOST_LISTED:
        console.print(f"and {len(wrong) - MOST_LISTED:,} more; --json names them all", style="bold red")
    path = shlex.quote(options.path)
    name_next(console, (f"smlib inspect {path}{other}", purpose), (f"smlib check {path}", "a proof that all is whole"))
    return 0


def _look_into_file(options: argparse.Namespace) -> tuple[Any, str, list[str], str, str]:
    """Return facts about a file or one of its pages, the same as text, what is wrong, and what to look at next."""
    from smlib.errors import InputError
    from smlib.storage.bplustree.drawing import draw_file, draw_page, list_damage
    from smlib.storage.bplustree.inspection import inspect_file, inspect_page
    from smlib.storage.local_filesystem import LocalFileSystem

    if options.file is not None:
        raise InputError(f"{options.path}: this is a file, which has no --file {options.file}; it has pages: --page N")
    if options.page is not None:
        page = inspect_page(LocalFileSystem(), options.path, options.page)
        return page, draw_page(page), [], "", "the whole file"
    file = inspect_file(LocalFileSystem(), options.path)
    number = next(iter(file.damaged), file.tree["root"] if file.tree else 0)
    return file, draw_file(file), list_damage(file), f" --page {number}", "one page, drawn"


def _look_into_folder(options: argparse.Namespace) -> tuple[Any, str, list[str], str, str]:
    """Return the same about a folder or one of its files."""
    from smlib.errors import InputError
    from smlib.storage.local_filesystem import LocalFileSystem
    from smlib.storage.lsm.drawing import draw_file, draw_folder, list_damage, most_interesting
    from smlib.storage.lsm.inspection import inspect_file, inspect_folder

    if options.page is not None:
        raise InputError(f"{options.path}: this is a folder, which has no --page {options.page}; it has --file NAME")
    if options.file is not None:
        file = inspect_file(LocalFileSystem(), options.path, options.file)
        return file, draw_file(file), file.damage, "", "the whole folder"
    folder = inspect_folder(LocalFileSystem(), options.path)
    name = most_interesting(folder)
    other, purpose = (" --json", "the same for a program") if name is None else (f" --file {name}", "one file of it")
    return folder, draw_folder(folder), list_damage(folder), other, purpose


def _kind_of_store(path: str) -> str:
    """Return whether a store is a "file" (a B+tree) or a "folder" (an LSM-tree); InputError if none lies there."""
    from smlib.errors import InputError

    if not os.path.exists(path):
        raise InputError(f"{path}: there is no such file or folder")
    if os.path.isfile(path):
        from smlib.storage.bplustree.inspection import is_tree
        from smlib.storage.local_filesystem import LocalFileSystem

        if is_tree(LocalFileSystem(), path):
            return "file"
    elif os.path.isfile(os.path.join(path, "CURRENT")):
        return "folder"
    raise InputError(
        f"{path}: this is no store of a kind that is known here; give the file of a BPlusTree, or the folder of an "
        f"LSMTree or of LevelDB, with a file CURRENT in it"
    )
