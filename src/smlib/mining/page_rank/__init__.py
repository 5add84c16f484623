r"""PageRank: a page matters if pages that matter link to it.

The problem. Thousands of pages have the words that were asked for. Which to show first? What a page says of itself is
cheap; what others say of it is less so, and a link is such a word. But to count links is not enough, for links are
cheap as well. A link should count as much as the page from which it comes. So what does *that* page count?

The idea. Let someone walk the web at random: on each page take one of its links, all with the same chance, and go
there. The *rank* of a page is the part of the time that the walker spends on it. Pages with many links to them are
visited often, and so are those to which they link. Ranks flow along the links, and in equilibrium each page gets what
it has::

    A links to B, C, D                 a = b/2 + c
    B links to A, D                    b = a/3 + d/2
    C links to A                       c = a/3 + d/2
    D links to B, C                    d = a/3 + b/2             so (a, b, c, d) = (3, 2, 2, 2) / 9

Two things go wrong. A *dangling* page has no links, so that the walker is stuck and rank is lost. And a *spider trap*,
pages that link to none but each other, holds the walker forever: let C link to itself alone, and in the end C has all
the rank. One thing mends both: with chance ``1 - alpha`` the walker is bored, and *jumps* to a page drawn at random;
from a dangling page always. That is PageRank, with alpha = 0.85 or so.

By hand. Let C link to itself alone, and alpha be 0.8. Each page gets 0.2 / 4 = 1/20 by jumps, and::

    a = 2/5 b + 1/20                     1/4    9/60    41/300     543/4500              15/148
    b = 4/15 a + 2/5 d + 1/20            1/4   13/60    53/300     707/4500   ...        19/148
    c = 4/15 a + 4/5 c + 2/5 d + 1/20    1/4   25/60   153/300    2543/4500              95/148
    d = 4/15 a + 2/5 b + 1/20            1/4   13/60    53/300     707/4500              19/148

The trap still ranks first, but the others have a rank. (*Mining of Massive Datasets*, examples 5.2 and 5.6.)

Where to jump to is free. To jump to all pages of a *topic* asks for pages that matter to it; to jump to pages only that
are known to be good finds out who can be *trusted*, and who got his rank from a *spam farm*.

Read on: `sorting` brings links into an order in which rank flows fast; `links` reads graphs; `sweeps` is the algorithm,
`solving` what is around it, with the proof; `link_spam` builds a farm and finds it; `hubs_and_authorities` asks the
question another way; `trace` draws.

Invariants, checked by the tests:
  1. The ranks add up to 1, and are positive wherever the walker may jump to.
  2. One step of the walk changes them by no more than the last of ``residual_norms``, which ``tol`` bounds if
     ``success`` is true.
  3. They are no farther than ``error_bound`` from the solution of the equations.
  4. Names and order of vertices do not matter, nor the order of links; weights of a vertex count in proportion only.
  5. The ranks for a mixture of ways to jump are the same mixture of their ranks.

Cost: O(links + vertices) to prepare, and as much each sweep, of which a dozen are enough on graphs like the web. A link
is 4 bytes that are read from front to back, and one look at a number somewhere else, which is what takes the time.

Leskovec, Rajaraman & Ullman, *Mining of Massive Datasets*, chapter 5; Brin & Page, "The anatomy of a large-scale
hypertextual web search engine", *Computer Networks* 30 (1998).
"""
