r"""Huffman coding: the shortest code that spends a whole number of bits on each symbol.

The problem. ASCII spends eight bits on every letter, on ``e`` as on ``q``. Spend fewer on those that are frequent and
more on those that are rare, and text shrinks; but no code word may begin another, or one could not tell where a word
ends. Which lengths are best, and how are the words found?

The idea. In the best code the two rarest symbols are the deepest leaves of a tree, and siblings. So tie them
together, take the pair for one symbol with both their counts, and go on with one symbol less, until one tree is left
(Huffman, 1952)::

    a 45   b 13   c 12   d 16   e 9   f 5         f + e = 14, c + b = 25, 14 + d = 30, 25 + 30 = 55, a + 55 = 100

                100                               a  0            45 x 1
             0/     \1                            b  101          13 x 3
             a       55                           c  100          12 x 3
                  0/     \1                       d  111          16 x 3
                 25       30                      e  1101          9 x 4
               0/  \1   0/  \1                    f  1100          5 x 4
               c    b   14    d                                  --------
                      0/  \1                              224 bits for 100 letters, where three bits each need 300
                      f    e

Only the *lengths* matter for the size. The words can then be given out in order: short ones first, equal lengths by
the number of the symbol, each word the next integer. That is the *canonical* code, here 0, 100, 101, 110, 1110, 1111:
a reader who knows the lengths knows the words.

A limit on the lengths makes small tables do: the best code of at most L bits comes from `package-merge` (Larmore &
Hirschberg), which looks for the cheapest set of coins: one coin of each value 2^-1 ... 2^-L for each symbol, at the
price of its count, to the amount of n - 1.

Read on: `code_lengths` finds the lengths and the words, `code` codes symbols of any alphabet one bit at a time, the
way books do it; `blocks` codes bytes at some gigabytes a second, several symbols at a time, and `container` puts
blocks into a stream that proves its own integrity.

Invariants, checked by the tests:
  1. Kraft: the words of a code of two symbols or more fill the tree, ``sum 2^-length = 1``.
  2. No word begins another.
  3. ``H <= L < H + 1`` bits a symbol, for the entropy H of the counts; no code has a smaller L.
  4. Decoding gives back what was coded; a stream with one byte changed, missing or added is refused.

Cost: n symbols are sorted and merged in O(n log n); package-merge takes O(n L). Coding and decoding take O(1) a
symbol: a look-up in a table of 2^11 entries gives one or two symbols at once.

Cormen, Leiserson, Rivest & Stein, *Introduction to Algorithms*, section 15.3; Cover & Thomas, *Elements of Information
Theory*, sections 5.6 to 5.8; MacKay, *Information Theory, Inference, and Learning Algorithms*, chapter 5.
"""
