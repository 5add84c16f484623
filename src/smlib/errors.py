"""Every exception that smlib raises on purpose. The message says what was wrong, with which value, and what to do.

Misuse raises. A calculation that was asked for properly and did not get there (it did not converge, say) is no
exception: the result says so in ``success``, ``status`` and ``message``.
"""


class SmlibError(Exception):
    """The base of all of them: ``except SmlibError`` catches what this library raises and nothing else."""


class InputError(SmlibError, ValueError):
    """An argument that cannot be worked with: a shape that does not fit, NaN, a zero where one must divide."""


class CorruptDataError(SmlibError, ValueError):
    """Data from outside that is not what it claims to be: damaged, cut short, or never of this format."""
