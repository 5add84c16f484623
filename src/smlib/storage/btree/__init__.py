r"""B-tree: keys in order, in nodes so broad that any of a million is a few steps from the root.

The problem. A sorted list finds a key in twenty comparisons out of a million, but to insert one it moves half of the
others. A binary tree moves nothing, but it is twenty nodes deep, and each step goes to another corner of the memory,
or to another page of a disk, where a step costs ten thousand comparisons. What has few steps, and moves little?

The idea. Take a search tree, and put into each node not one key but as many as fit on a page, in order. Between them
are the ways down, one more than there are keys (Bayer & McCreight, 1972)::

                         . M .                       the root: here 1 key, 2 children
                       /       \
             . D  H .             . Q  T  X .        keys below  . D .  are less than D,
            /   |    \           /   |  |    \       those between  D . H  lie between them
          B C  F G  J K L      N P  R S  V W  Y Z    leaves, all at the same depth

A *minimum degree* t >= 2 is chosen once: each node but the root has at least t - 1 keys and at most 2 t - 1. So it is
never less than half full; and a full one, 2 t - 1 keys, can be cut into two with t - 1 each and one key to go up
between them. With t = 512 a page of 8 KB is full of keys of 8 bytes, and a billion keys lie within three steps of
the root.

Cutting and its opposite keep the tree in shape. A full node is cut before anything goes into it; a node that has the
fewest keys is given one by a neighbour, or becomes one with it, before anything is taken out. Both are done on the
way down, so that nobody has to come back. The tree grows and shrinks at the root alone.

By hand, with t = 2 (1 to 3 keys a node). Insert 1, 2, 3: one node, ``1 2 3``, and it is full. Insert 4: the root is
cut, 2 goes up, 4 joins 3: ``2 / 1 | 3 4``. Insert 5: ``2 / 1 | 3 4 5``. Insert 6: that leaf is full, it is cut, 4 goes
up: ``2 4 / 1 | 3 | 5 6``. Delete 1: its leaf has the fewest keys, so has the neighbour, and they become one with 2 in
its middle; then 1 is taken out: ``4 / 2 3 | 5 6``.

What is added to the book's tree: each node knows how many keys are below it, so that the number of keys before a
given one (`BTree.rank`), and the key with a given number (`BTree.select`), are found on one way down.

Invariants; `BTree.check` proves the first four and the tests all:
  1. A node other than the root has t - 1 to 2 t - 1 keys; a root that is no leaf has 1 to 2 t - 1. There is a
     value for each, and in an inner node one child more.
  2. Walked in order, the keys strictly increase.
  3. All leaves have the same depth.
  4. A node's size is the number of keys in it and below it; the root's is the length of the mapping.
  5. A tree of n >= 1 keys has a height ``h <= log_t((n + 1) / 2)``, in steps from the root to a leaf: with t = 16, a
     million keys have a height of 4 at most.
  6. A key is compared before anything is changed. What cannot be compared is refused, and the tree is as it was.

Cost: O(log n) comparisons and O(t log n / log t) time to find, insert or delete, to rank and to select; O(log n + k) to
walk k items; O(n) to load n sorted items. Space is O(n), for nodes are half full or more. On a disk, where a node is a
page, h + 1 reads.

Read on: `nodes` has the four operations that move keys, `paths` finds a key and compares, `insertion` and `deletion`
mend on the way down, `bulk_loading` builds from sorted items, `tree` is the mapping that people use, and `invariants`
proves it.

Cormen, Leiserson, Rivest & Stein, *Introduction to Algorithms*, chapter 18 and section 17.1; Knuth, *The Art of
Computer Programming*, volume 3, section 6.2.4; Sedgewick & Wayne, *Algorithms*, section 6.2.
"""
