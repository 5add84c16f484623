r"""LSM-tree: a sorted map in files that are written once, in order, and merged later: LevelDB's, byte for byte.

The problem. A map on a disk that keeps its items in order has a place for each of them, and a change goes to where its
place is. If changes come in any order, these are writes all over the disk, each of a whole page for a few bytes. A disk
writes one long stretch a hundred times faster than as many bytes in pages here and there. How does one write in one
long stretch, and still find a key?

The idea. Do not go to the place; write down *that* it has changed. A change is added at the end of a *log*, which makes
it safe, and put into the *memtable*, a map in memory, which makes it be found. When the log is long enough, the
memtable is sorted and written as a *table*, a file that never changes again, and a new log begins. So tables pile up,
the newest above the others, and a key is looked for from above down; the first answer is the right one. A deletion is
an answer too: it is written down as a change that says so. When there are too many tables, they are merged into few::

        put ---> [ log ]                on the disk: in the order of time
            \--> [ memtable ]           in memory: the newest
                     | flush: sort, write
        level 0  [ ape .... yak ]  [ bee ...... zebu ]       a table each flush; the newest first
                     | merge: side by side, of each key the newest
        level 1  [ ant .. cow ] [ doe .. hen ] [ ibis .. wolf ]         one behind the other

What is never changed needs no lock, can be cached without end, may be compressed, and is whole or not. So a crash is
simple too. Which tables there are says the *manifest*, a log of its own; each flush and each merge adds one record to
it, when what the record speaks of is on the disk. Before that a crash leaves the tables as they were, and after it as
they are; files that the manifest does not lead to are waste, and are deleted by who opens the folder next.

Two things make a look-up cheap. A table has an index in memory that says which block of 4 KB may have the key, so that
one read is enough; and a *Bloom filter*, ten bits a key, that says of a key that is not there mostly that it is not, so
that no read is. Ten tables then cost a look-up one read, not ten.

By hand. ``cow = 1`` and ``ape = 2`` are changes 1 and 2; log 3 has both, in this order. The flush writes table 5:
``ape = 2`` (change 2), ``cow = 1`` (change 1). The manifest says "+5, changes go to log 6", and log 3 is deleted. Now
``cow`` is taken out, change 3, and ``doe = 4`` is put, change 4; a flush makes table 7: ``cow`` deleted, ``doe = 4``.
Who looks for ``cow`` asks the memtable, which is empty, then table 7, which says that it was deleted, and is done. Who
looks for ``cat`` is told by the filter of table 7 that it is not there, and by that of table 5 too: nothing is read. A
merge of both tables makes table 9: ``ape = 2``, ``doe = 4``. Both versions of ``cow`` are gone: the older one was
hidden, and the deletion has nothing left to hide. The manifest says "-5 -7 +9". ``smlib viz lsm`` shows such a story.

Invariants; `LSMTree.check` proves the first five, and the tests all:
  1. Each block is whole: its checksum fits, and its entries lie within it, with keys that share what they may.
  2. In a table keys strictly increase (of one key the newest first), its index separates its blocks, and its filters
     let each of its keys pass.
  3. Each table is as long as the manifest says, and has the first and the last key that it says.
  4. Below level 0 no two tables of a level have a key between the first and the last one of both.
  5. No table has a change that is newer than the last one.
  6. Of two versions of a key the newer one is found first: in the memtable, in a newer table, in a higher level.
  7. A change is in a log or in a table that the manifest leads to, from the moment when its commit returns.
  8. After a crash at any moment the folder holds what the last commit that returned has left, or one that had begun
     (with ``durability="batch"``, what an earlier commit has left, and none in between is left out).
  9. A snapshot shows what was there when it was taken, whatever is flushed or merged later.
  10. A damaged file gives the right answer or CorruptDataError, which names the file and a byte; and LevelDB finds in
     the folder what is found here, and the other way round.

Cost: a change is one write at the end of a file, and one sync if it is to be safe: O(1). A flush writes it again, and
so does each merge that it takes part in (*write amplification*: in all, 3.3 bytes were written for each byte of what
fills 23 write buffers, 8.8 for what fills 180). To find a key: the memtable, then a filter for each table of level 0, a
dozen at the most, and one for each level below; one read if it is there, and now and then one more in vain (*read
amplification*). A walk has to merge all tables as it goes. Space: old versions and deletions take room until they are
merged, as much again as all items in the worst case, and during a merge the old tables and the new ones lie side by
side (*space amplification*).

What is not here: LevelDB merges a part of a level with a part of the next, level after level, each ten times as large
as the one above. Here a merge takes all tables. That is simple, and it is dear where what there is fills many dozens of
buffers: then every dozen flushes all of it is moved. The commit that asks for a merge waits for its end, for nothing is
done in the background. Keys are in the order of their bytes, and there is no other.

Read on: `log` (with `fragments` and `log_damage`) is what a commit writes, `batches` what stands in it, `memtable` what
is in memory. `entries` and `internal_keys` say what a version of a key is; `blocks`, `block_building`, `bloom`,
`tables` and `table_building` are the table, from the inside out; `stored_blocks` and `block_cache` read it, `directory`
and `lookups` find a key. `manifest`, `versions` and `file_names` say which files there are. `log_entries` sorts a log
for a flush, `merging` and `walking` make many tables one, and `compaction` says when. `commits` is the order of it all,
`recovery` what is found after a crash, and `store` and `tree` what people use. `trace` tells it step by step, from
`descriptions` of the folder at certain `moments`, in the words of `telling`; `inspection` shows a folder, whole or
damaged: ``smlib inspect PATH``.

O'Neil, Cheng, Gawlick & O'Neil, "The Log-Structured Merge-Tree (LSM-Tree)", *Acta Informatica* 33 (1996); Chang et al.,
"Bigtable: A Distributed Storage System for Structured Data", *OSDI* (2006), section 5; Ghemawat & Dean, *LevelDB*
(2011), "Implementation notes", "Log format" and "Table format"; Petrov, *Database Internals*, chapter 7; Kleppmann,
*Designing Data-Intensive Applications*, chapter 3.
"""
