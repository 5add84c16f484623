r"""Merging: several runs of entries in order become one, and what nobody can see any more is left out.

A tree that only ever adds files would find a key in more and more of them. So from time to time some files are merged
into one. Each is in order, so it is enough to look at the first entry of each, take the least, and go on. To find the
least of k first entries again and again, let them play a tournament: the winner of each match goes up, and when the
champion leaves, its successor from the same run plays the matches on its way up only, log2(k) of them::

               ape:7                                          ape:3
              /     \                                        /     \
         ape:7       bee:9        take ape:7,           ape:3       bee:9
        /     \     /     \     and go on with        /     \     /     \
     ape:7  ape:3  bee:9  (end)      cow:2          cow:2  ape:3  bee:9  (end)

Only two matches were played: cow:2 against ape:3, and ape:3 against bee:9. And when the champion comes from the same
run several times, not even these: as long as its entry comes before that of its *rival*, the best of those that the run
has beaten, nothing changes in the tree. What comes out of one run in one go is copied in one go.

The order is that of entries: by key, and of one key the newest first. So of each key all versions come one behind the
other, and who sees the newest first knows which of the others can go. Readers see the tree as it is now or as it was at
the time of a *snapshot*; let s be the sequence number of the oldest one, or that of the newest entry if there are none.
A version can go if a newer one of the same key has a number of at most s, for every reader sees that one or a newer one
still. A deletion can go if its number is at most s, and nothing older lies below that it must hide.

By hand, with s = 6::

    newest run     ape:7 = "new"     cow:2 = "x"
    older run      ape:5 = "old"     ape:3 = "older"      bee:4 deleted

    merged         ape:7 (newest)    ape:5 (a reader as of 6 sees it)    bee:4 deleted     cow:2
                   ape:3 is hidden by ape:5; the deletion of bee goes, too, where nothing lies below

Invariants:
  1. What comes out is in order, and has entries that went in only.
  2. Every reader as of s or later finds for every key what it found in the runs, taken together; a deletion that went
     is found as nothing.
  3. Of two entries that are equal (the same key and number) the one of the newer run stays.

Cost: O(n log k) comparisons of keys; about 1 GB/s of keys and values.

Knuth, *The Art of Computer Programming* 3, section 5.4.1 (replacement selection and trees of losers); O'Neil, Cheng,
Gawlick & O'Neil, "The log-structured merge-tree", *Acta Informatica* 33 (1996); Petrov, *Database Internals*, chapter
7.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from smlib._core.kernel import kernel
from smlib.storage.lsm.entries import Entries, Tags, at, concatenate, key_at, u64
from smlib.storage.lsm.internal_keys import DELETION, MAX_SEQUENCE
from smlib.storage.packed_bytes import Integer, Numbers, compare, copy_bytes, head_of


def merge_entries(
    runs: Sequence[Entries], oldest_snapshot: int = MAX_SEQUENCE, *, drop_deletions: bool = False
) -> Entries:
    """Merge runs of entries into one.

    Parameters
    ----------
    runs : sequence of Entries
        Each in order, the newest first.
    oldest_snapshot : int
        The sequence number as of which, or of some later one, readers see the entries. Without snapshots, that of the
        newest entry there is.
    drop_deletions : bool
        Whether nothing older lies below, so that deletions have nothing to hide.

    Returns
    -------
    Entries

    Raises
    ------
    InputError
        If the keys or the values have 2 GB or more; merge a part of them at a time.

    Notes
    -----
    Complexity: O(n log k) comparisons for n entries of k runs.

    References
    ----------
    Knuth, *The Art of Computer Programming* 3, section 5.4.1.

    Examples
    --------
    >>> from smlib.storage.lsm.entries import pack, unpack
    >>> newer = pack([b"ape", b"cow"], [7 << 8 | 1, 2 << 8 | 1], [b"new", b"x"])
    >>> older = pack([b"ape", b"bee"], [3 << 8 | 1, 4 << 8 | 0], [b"old", b""])
    >>> [(key, tag >> 8, value) for key, tag, value in unpack(merge_entries([newer, older], drop_deletions=True))]
    [(b'ape', 7, b'new'), (b'cow', 2, b'x')]
    """
    entries = concatenate(runs)
    leaves = 1 << max(len(runs) - 1, 0).bit_length()
    bounds = np.zeros((leaves, 2), np.int64)
    ends = np.cumsum([0, *(run.size for run in runs)])
    bounds[: len(runs), 0], bounds[: len(runs), 1] = ends[:-1], ends[1:]
    merged = Entries(
        np.empty_like(entries.keys),
        np.empty_like(entries.key_ends),
        np.empty_like(entries.tags),
        np.empty_like(entries.values),
        np.empty_like(entries.value_ends),
    )
    count = int(
        merge_runs(
            entries,
            bounds,
            np.zeros(leaves, np.uint64),
            np.zeros(2 * leaves, np.int64),
            u64(min(oldest_snapshot, MAX_SEQUENCE)),
            drop_deletions,
            merged,
        )
    )
    key_ends, value_ends = merged.key_ends[: count + 1], merged.value_ends[: count + 1]
    return Entries(
        merged.keys[: key_ends[-1]], key_ends, merged.tags[:count], merged.values[: value_ends[-1]], value_ends
    )


@kernel(borrows=True)
def merge_runs(
    entries: Entries,
    bounds: Numbers,
    heads: Tags,
    tree: Numbers,
    oldest: np.uint64,
    drop_deletions: bool,
    merged: Entries,
) -> Integer:
    """Merge the runs between bounds; return how many entries come out.

    ``heads`` are the first 8 bytes of each run's first key, as a number; in ``tree`` node 1 is the champion, the
    matches that lead to node i are 2i and 2i + 1, and the runs themselves come last.
    """
    leaves, before = heads.size, np.int64(-1)
    count: Integer = np.int64(0)
    merged.key_ends[0], merged.value_ends[0] = 0, 0
    for leaf in range(leaves):
        set_head(entries, bounds, heads, leaf)
        tree[leaves + leaf] = leaf
    for place in range(leaves - 1, 0, -1):
        tree[place] = winner(entries, bounds, heads, tree[2 * place], tree[2 * place + 1])
    while True:
        run = tree[1] if leaves > 1 else np.int64(0)
        if bounds[run, 0] == bounds[run, 1]:
            return count
        rival = find_rival(entries, bounds, heads, tree, run)
        first: Integer = bounds[run, 0]
        while True:
            number = bounds[run, 0]
            if is_unseen(entries, before, number, oldest, drop_deletions):
                count = copy_entries(entries, first, number, merged, count)
                first = number + 1
            before = number
            bounds[run, 0] = number + 1
            set_head(entries, bounds, heads, run)
            if bounds[run, 0] == bounds[run, 1]:
                break
            if rival >= 0 and winner(entries, bounds, heads, min(run, rival), max(run, rival)) != run:
                break
        count = copy_entries(entries, first, bounds[run, 0], merged, count)
        node = (leaves + run) >> 1
        while node > 0:
            tree[node] = winner(entries, bounds, heads, tree[2 * node], tree[2 * node + 1])
            node >>= 1


@kernel(borrows=True)
def find_rival(entries: Entries, bounds: Numbers, heads: Tags, tree: Numbers, champion: Integer) -> Integer:
    """Return the run that would be champion without this one, of those that it has beaten; -1 if there is none."""
    rival: Integer = np.int64(-1)
    node = heads.size + champion
    while node > 1:
        beaten = tree[node ^ 1]
        if rival < 0:
            rival = beaten
        else:
            rival = winner(entries, bounds, heads, min(rival, beaten), max(rival, beaten))
        node >>= 1
    return rival


@kernel(borrows=True)
def set_head(entries: Entries, bounds: Numbers, heads: Tags, run: Integer) -> None:
    """Write down the first 8 bytes of a run's first key."""
    if bounds[run, 0] < bounds[run, 1]:
        begin, size = key_at(entries, bounds[run, 0])
        heads[run] = head_of(entries.keys, begin, size)


@kernel(borrows=True)
def winner(entries: Entries, bounds: Numbers, heads: Tags, one: Integer, other: Integer) -> Integer:
    """Return which of two runs has the first entry that comes first; the first, newer run if they are equal."""
    if bounds[one, 0] == bounds[one, 1]:
        return other
    if bounds[other, 0] == bounds[other, 1]:
        return one
    if heads[one] != heads[other]:
        return one if heads[one] < heads[other] else other
    number, against = bounds[one, 0], bounds[other, 0]
    order = compare_keys(entries, number, against)
    if order == 0:
        return one if entries.tags[number] >= entries.tags[against] else other
    return one if order < 0 else other


@kernel(borrows=True)
def compare_keys(entries: Entries, one: Integer, other: Integer) -> Integer:
    """Return -1, 0 or 1 as the key of an entry is less than, equal to or greater than that of another."""
    begin, size = key_at(entries, one)
    against, other_size = key_at(entries, other)
    return compare(entries.keys, begin, size, entries.keys, against, other_size)


@kernel(borrows=True)
def is_unseen(entries: Entries, before: Integer, number: Integer, oldest: np.uint64, drop_deletions: bool) -> bool:
    """Return whether no reader can see an entry, given the one that came before it (or -1)."""
    tag = entries.tags[number]
    if before >= 0 and compare_keys(entries, before, number) == 0:
        newer = entries.tags[before]
        if newer >> u64(8) <= oldest or newer == tag:
            return True
    return bool(drop_deletions and tag & u64(255) == u64(DELETION) and tag >> u64(8) <= oldest)


@kernel(borrows=True)
def copy_entries(entries: Entries, first: Integer, past: Integer, merged: Entries, count: Integer) -> Integer:
    """Put the entries from one to before another behind those that came out so far; return how many these are."""
    key, value = entries.key_ends[first], entries.value_ends[first]
    key_end, value_end = merged.key_ends[count], merged.value_ends[count]
    copy_bytes(entries.keys, at(key), merged.keys, at(key_end), at(entries.key_ends[past] - key))
    copy_bytes(entries.values, at(value), merged.values, at(value_end), at(entries.value_ends[past] - value))
    for number in range(first, past):
        merged.tags[count] = entries.tags[number]
        count += 1
        merged.key_ends[count] = key_end + (entries.key_ends[number + 1] - key)
        merged.value_ends[count] = value_end + (entries.value_ends[number + 1] - value)
    return count
