"""What all solvers of linear systems share: sparse rows, their product with a vector, the result with its proof."""

from smlib._core.csr import CSRMatrix as CSRMatrix
from smlib._core.csr import as_csr as as_csr
from smlib._core.csr import matvec as matvec
from smlib._core.results import LinearResult as LinearResult
