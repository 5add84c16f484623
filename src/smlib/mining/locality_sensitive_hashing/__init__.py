r"""Locality-sensitive hashing: which of many things are alike, without looking at all pairs.

The problem. A million documents make half a trillion pairs. Their signatures (see `min_hashing`) are short, and two of
them are compared in no time, but half a trillion times no time is a week. Nearly all of that looks at pairs that have
nothing in common.

The idea. A hash table brings together what is *equal*. So make things equal that are alike: cut each signature into
``bands`` of ``rows`` values, and look for documents that have a whole band in common. Whoever meets another one in some
band is a *candidate*, and only candidates are compared::

    signature of 12 values         band 1       band 2       band 3       band 4
                               A   7 2 9        4 4 1        3 8 5        6 0 2
                               B   7 2 8        4 4 1        3 8 6        6 1 2        A and B meet in band 2
                               C   1 5 9        4 2 1        0 8 5        6 0 2        A and C meet in band 4

Two values agree with the probability s, the similarity; a band of r rows with s^r; none of b bands agrees with
``(1 - s^r)^b``. So a pair becomes a candidate with the probability of the *S-curve*::

                                       1 |                 .----
    P(s) = 1 - (1 - s^r)^b               |               .'             s      b = 20, r = 5
                                         |              /               0.2    0.006
                                         |            .'                0.4    0.186
                                       0 |--------''''                  0.6    0.802
                                         +----------------------        0.8    0.9996
                                         0        s             1

which is nearly a step, at about ``(1/b)^(1/r)``: more rows move it up, more bands down. What lies below it and is found
all the same (false positives) costs a comparison; what lies above it and is not found (false negatives) is lost.

Another similarity needs another family of hash functions, for which P(agree) rises with it, and the bands stay as they
are. For the angle between vectors: on which side of a random plane does a vector lie? (`RandomHyperplanes`; `SimHasher`
makes 64 such bits of a text.)

Read on: `banding` has the S-curve and chooses bands, `band_tables` finds out who meets whom, `duplicates` goes from
texts to pairs, `index` takes documents one by one and answers, `index_file` keeps that on disk, `hyperplanes` and
`fingerprints` are the families for angles.

Invariants, checked by the tests:
  1. Candidates are exactly the pairs that agree in some whole band, each once.
  2. They are found with the probability of the S-curve: a binomial test holds.
  3. Verified pairs are exactly the candidates whose similarity, worked out on the sets, is the threshold or above.
  4. An index answers the same whether it was filled at once, one by one, with removals, or read from a file.
  5. No damage of a file goes unnoticed.

Cost: O(n b) time and space for n documents and b bands, and the pairs that meet.

Leskovec, Rajaraman & Ullman, *Mining of Massive Datasets*, sections 3.4 to 3.7; Indyk & Motwani, "Approximate nearest
neighbors: towards removing the curse of dimensionality", *STOC* (1998).
"""
