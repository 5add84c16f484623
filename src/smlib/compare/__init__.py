"""Comparisons: our function and the best peers, on one input, in one run.

A `Case` (``case.py``) is the only place where ours and a peer meet. ``timer.py`` measures a case, ``report.py``
prints what came out, ``tour.py`` tells the stories, and ``cases/`` holds the cases of each area.
"""
