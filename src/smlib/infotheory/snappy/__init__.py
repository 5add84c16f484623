r"""Snappy: bytes said before are pointed at, in whole bytes and in a hurry.

The problem. Text, tables and logs say the same things over and over. To point at what was said already ("go 10 bytes
back and copy 23") takes two or three bytes. But whoever compresses every block on its way to the disk has no time to
look for the *best* places to point at, nor to pack the pointers bit by bit. What can be had at the speed of the disk?

The idea. Remember in a small table where each four bytes were last seen, at the place that a hash of the four says. At
every position look there: if the same four bytes stand there, a *copy* begins. Follow it as far as it goes and leap
over it, without asking whether another one would have been longer. What is not copied goes out as it is, as a
*literal*::

    position   0         1         2         3
               01234567890123456789012345678901234
    data       Rose is a rose is a rose is a rose.

               at 11, "ose " is where it was at 1:       1 2 3 4 5 ...
               and so is what follows, up to 33        11 12 13 14 15 ... 33

    elements   23                                      varint: 35 bytes will come out
               28  52 6f 73 65 20 69 73 20 61 20 72    literal of 11:   "Rose is a r"
               5a 0a 00                                copy of 23, from 10 back
               00  2e                                  literal of 1:    "."

The copy is longer than its distance: it reads bytes that it has just written, and so repeats ``ose is a r`` for as
long as it likes. Everything is whole bytes. An element begins with a tag; its two low bits say what follows::

    tag        bits of the tag                   then                        bytes made

    LLLLLL00   L + 1 bytes, up to L = 59         the bytes                   1 to 60
    1111NN00   L + 1 bytes                       N + 1 bytes of L, and they  1 to 2^32
    HHHLLL01   L + 4 bytes, offset 256 H + ...   1 byte of offset            4 to 11, from up to 2,047 back
    LLLLLL10   L + 1 bytes                       2 bytes of offset           1 to 64, from up to 65,535 back
    LLLLLL11   L + 1 bytes                       4 bytes of offset           1 to 64, from up to 2^32 - 1 back

Numbers have their low byte first. The size of the data comes before the first element, seven bits a byte, the high
bit set where more follow (a varint).

Read on: `compression` finds copies, `decompression` carries elements out and trusts none of them, `frames` cuts a
stream into chunks with checksums.

Invariants, checked by the tests:
  1. Decompressing gives back what was compressed, here and by other programs; and the other way round.
  2. Every copy begins at least 1 byte back, and not before the first byte.
  3. Compressed data is longer than the data by at most a 65th, 3 bytes a block and 5 more.
  4. m bytes of elements make at most ``64 (m - 2) / 3 + 1`` bytes: more is never claimed, or it is refused at once.
  5. Whatever the bytes are, decompressing ends, reads and writes no byte outside, and takes no more memory than 4 says.

Cost: O(n) time, and a table of at most 2^14 positions; where nothing repeats, ever fewer positions are looked at.

Google, *Snappy compressed format description* (2011) and *Snappy framing format description* (2013); Ziv & Lempel,
"A universal algorithm for sequential data compression", *IEEE Transactions on Information Theory* 23 (1977); Cover &
Thomas, *Elements of Information Theory*, section 13.4.
"""
