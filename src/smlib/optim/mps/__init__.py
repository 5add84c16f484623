"""MPS files: linear programs as every solver has read them since the 1960s.

The format goes back to IBM's Mathematical Programming System and its punched cards: a line is a card, and columns are
listed one after the other, for that is how the machine took them in. The dairy of `smlib.optim.linear_program`::

    NAME          DAIRY
    OBJSENSE
        MAX
    ROWS                                            N objective, E =, L <=, G >=
     N  EARNS
     L  MILK
     L  HOURS
    COLUMNS                                         column, then one or two pairs of row and number
        CHEESE    EARNS            5.   MILK              6.
        CHEESE    HOURS            2.
        BUTTER    EARNS            4.   MILK              4.
        BUTTER    HOURS            3.
    RHS                                             the right-hand sides, under the name of a set of them
        RHS       MILK           120.   HOURS            60.
    ENDATA

In the *fixed* format the fields stand in columns 2-3, 5-12, 15-22, 25-36, 40-47 and 50-61, and names may hold blanks.
In the *free* format blanks separate the fields, and names hold none. Nothing in a file says which it is, and most can
be read both ways, to the same end. So where some lines can be read in one way only, their majority decides.

What the old manuals leave open, and what is done here, which is what HiGHS does unless it says otherwise:

- The first N row is the objective (or the one that OBJNAME names, if it comes before ROWS). Other N rows bind nothing
  and are dropped.
- A right-hand side of the objective is *minus* its constant: the row reads ``c @ x = rhs + objective``.
- RANGES: a row L with right-hand side r and range R is [r - |R|, r], a row G is [r, r + |R|], a row E is [r, r + R] or
  [r + R, r], whichever is in order. The sum is taken in decimals, and rounded once.
- BOUNDS: 0 and infinity unless said. MI takes the lower bound away, and leaves the upper one. UP leaves the lower bound
  at 0 even if it is negative itself: such a program is infeasible (CPLEX and GLPK drop the lower bound instead).
- A bound or a right-hand side from 1e20 on is infinite.
- Integers (markers, BV, LI, UI) and semi-continuous columns (SC, SI) are refused, for their optimum is another one.
- Refused too, where others warn or keep silent: an entry, a bound or a side that is given twice, names that are not
  declared, a second set of right-hand sides, ranges or bounds (it would make a second program), a file without ENDATA.

Invariants, checked by the tests:
  1. What is written is read as the same program, to the last bit, and HiGHS reads it so.
  2. A damaged file gives ``CorruptDataError`` with the number of the line, or a program; nothing else.

Cost: O(bytes), some 10 MB a second: the reader is plain Python. Entries with the value 0 are dropped.

Read on: `fields` cuts a line, `reader` and `writer` are what they are called.

IBM, *Mathematical Programming System/360: Linear and Separable Programming User's Manual*; Murtagh, *Advanced Linear
Programming*, chapter 9.
"""
