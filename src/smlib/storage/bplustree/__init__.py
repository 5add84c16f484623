r"""B+tree on disk: a sorted map in a file that a crash leaves as the last commit made it.

The problem. A map that outlives its program lies on a disk, and a disk is read and written a *page* at a time: some
thousand bytes, whatever one asks for, and a hundred thousand times slower than memory. A crash may stop a write in its
midst, and somebody may be reading while another writes. What finds a key in few pages, never shows half of a change,
and lets nobody wait?

The idea has two parts. The first is the B+tree: all items lie in the *leaves*, and the pages above them, the
*branches*, hold nothing but keys that lead the way. A key there can be short, for it only has to separate its left
from its right, so a page leads to hundreds of others::

                       [ .  he  .  pe ]                         a branch: what is less than "he", less than "pe", other
                      /       |        \
    [ as:1 at:5 be:2 ]  [ he:4 of:3 ]  [ she:2 the:9 to:6 ]     leaves: the items, in order

The second is to write no page twice. A change copies the leaf, changes the copy, and as that is a new page, the branch
above is copied to lead to it, and so on up to a new root. The old root still leads to the old tree. Two *meta pages*
at the beginning of the file take turns in saying which root is the last one; a commit is the moment when one of them
is written::

      file   | meta 0 | meta 1 | root | leaf | leaf | leaf'| root'|          change of one leaf: two new pages,
               root      root'                                              the third meta page replaces the first

A crash before that moment leaves the old tree and after it the new one, for whoever opens the file takes the newer of
the meta pages that are whole. There is no log, and nothing to recover. A reader keeps the root that it began with, and
waits for nobody: that is a *snapshot*. And the pages which no root leads to any more, once the last one that needed
them is not looked at any more, are free, and are taken again.

Two syncs make it safe. All pages must be on the disk before the meta page that leads to them is written, else that
might get there first, and the meta page must be there before the caller is told. Every page carries a checksum of its
bytes, its own number among them, so that a page which is torn, or lies where another should, is not taken for whole.

By hand, with leaves that hold three items. ``as, at, be`` fill page 2, which is leaf and root: commit 1 writes page 2
and meta page 1, "the root is 2". Now ``he`` comes, and the leaf is too full: of four items two stay, in page 3, a copy,
and two go into a new page 4. The key that separates "at" from "be" is as short as can be, "b"; a new root, page 5,
says ``[ 3  b  4 ]``. Commit 2 writes pages 3, 4 and 5, syncs, writes meta page 0, "the root is 5", and syncs. Page 2 is
free for commit 3, if no snapshot of commit 1 is open; until meta page 0 is there, it is still the tree.

Invariants; `BPlusTree.check` proves the first six, and the tests all:
  1. Walked in order, the keys strictly increase; the keys below a branch's cell are not less than its key, and less
     than the next one.
  2. All leaves have the same depth, which is the one in the meta page.
  3. The leaves hold as many items as the meta page says, and no leaf is empty but that of an empty tree.
  4. Each page is whole and is what it should be: its checksum, its own number, its cells within it and in order; a
     value in pages of its own is as long as its cell says.
  5. A page is used once, or free, or holds the list of the free ones: none is lost, and none is two of these.
  6. The newest meta page that is whole leads to pages within the file, none of which is newer than itself.
  7. After a crash at any moment the file holds the tree of the last commit that returned, or of one that had begun
     (with ``durability="batch"``, that of an earlier commit, and none in between is left out).
  8. A snapshot shows what was there when it was taken, whatever is committed and whatever is free later.
  9. A damaged file gives the right answer or CorruptDataError, which names the byte where the damaged page begins.

Cost: with f keys in a page, ``log_f n`` pages to find one of n keys, of which those near the root are in memory; a
commit of one change writes as many, the list of free pages and the meta page, and waits for two syncs. Many changes in
one commit share them. A walk reads each leaf once. Space: a page is at least a quarter full but for those next to full
ones, some two thirds in the mean if keys come in any order, and wholly full if they come in theirs.

What is not here: a leaf does not know its neighbour (it would have to be copied whenever that is), and pages that are
free do not leave the file before `BPlusTree.compact`. And a branch does not say which commit wrote the page it leads
to: if a disk forgets a write that it has said was synced, and the older page in that place is whole, this is not
noticed.

Read on: `pages` is the page and its cells, `working_pages` says who may write which, `insertion` and `deletion` change
the tree, `lookups` finds; `page_file` reads, proves and writes, `chains` has large values and the free pages, `meta`
the two meta pages; `commits` is the order of it all; `store` and `tree` are what people use; `readers` looks in from
other processes, `compaction` writes the file anew, and `invariants` proves it. `inspection`, `page_facts` and `drawing`
show a file page by page, whole or damaged: ``smlib inspect PATH``.

Graefe, "Modern B-Tree Techniques", *Foundations and Trends in Databases* 3 (2011); Comer, "The Ubiquitous B-Tree", *ACM
Computing Surveys* 11 (1979); Gray & Reuter, *Transaction Processing*, chapters 13 to 15; Rodeh, "B-trees, Shadowing,
and Clones", *ACM Transactions on Storage* 3 (2008).
"""
