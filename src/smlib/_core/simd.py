"""Instructions that Python has no word for: the bits of a float, counting zeros, a step of a checksum.

Each is one machine instruction inside a kernel, and a plain Python twin with the same results where kernels run
interpreted (``NUMBA_DISABLE_JIT=1``). The tests hold both against each other.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any

import llvmlite.binding
import numba
import numpy as np
from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic, register_jitable
from numpy.typing import NDArray

u64 = np.uint64

# The Castagnoli polynomial, its bits reversed.
CRC32C_POLYNOMIAL = 0x82F63B78


def _crc32c_table() -> NDArray[np.uint32]:
    table = np.arange(256, dtype=np.uint32)
    for _ in range(8):
        table = np.where(table & 1, table >> 1 ^ CRC32C_POLYNOMIAL, table >> 1).astype(np.uint32)
    return table


CRC32C_OF_BYTE = _crc32c_table()


def bits_of_float_twin(x: float) -> np.int64:
    """Return the 64 bits of a float as an integer: sign, 11 bits of exponent, 52 bits of fraction.

    >>> hex(bits_of_float_twin(1.0))
    '0x3ff0000000000000'
    """
    return np.int64(struct.unpack("<q", struct.pack("<d", x))[0])


def float_of_bits_twin(bits: int | np.int64) -> float:
    """Return the float with these 64 bits.

    >>> float_of_bits_twin(0x4000000000000000)
    2.0
    """
    return float(struct.unpack("<d", struct.pack("<q", int(bits)))[0])


def leading_zeros_twin(word: int | np.uint64) -> np.uint64:
    """Return the number of zeros before the first one of a 64-bit word, which must not be 0.

    >>> int(leading_zeros_twin(1))
    63
    """
    return np.uint64(64 - int(word).bit_length())


def crc32c_of_word_twin(crc: int | np.uint64, word: int | np.uint64) -> np.uint64:
    """Return the CRC-32C register after 8 more bytes, the lowest first; without the inversions at start and end.

    >>> int(crc32c_of_word_twin(0, 1))
    1228700967
    """
    register = u64(crc) ^ u64(word)
    for _ in range(8):
        register = (register >> u64(8)) ^ u64(CRC32C_OF_BYTE[register & u64(255)])
    return register


def _bitcast(source: Any, target: Any, target_type: ir.Type) -> Callable[..., Any]:
    def typer(_: Any, value: Any) -> Any:
        def generate(_: Any, builder: ir.IRBuilder, __: Any, arguments: Any) -> Any:
            return builder.bitcast(arguments[0], target_type)

        return target(source), generate

    return typer


def _leading_zeros(_: Any, word: Any) -> Any:
    def generate(_: Any, builder: ir.IRBuilder, __: Any, arguments: Any) -> Any:
        return builder.ctlz(arguments[0], ir.Constant(ir.IntType(1), 1))

    return types.uint64(types.uint64), generate


def _crc32c_of_word(_: Any, crc: Any, word: Any) -> Any:
    def generate(_: Any, builder: ir.IRBuilder, __: Any, arguments: Any) -> Any:
        wide = ir.IntType(64)
        function = builder.module.declare_intrinsic(
            "llvm.x86.sse42.crc32.64.64", (), ir.FunctionType(wide, [wide, wide])
        )
        return builder.call(function, arguments)

    return types.uint64(types.uint64, types.uint64), generate


if numba.config.DISABLE_JIT:
    bits_of_float: Callable[[float], np.int64] = bits_of_float_twin
    float_of_bits: Callable[[int | np.int64], float] = float_of_bits_twin
    leading_zeros: Callable[[int | np.uint64], np.uint64] = leading_zeros_twin
    crc32c_of_word: Callable[[int | np.uint64, int | np.uint64], np.uint64] = crc32c_of_word_twin
else:
    bits_of_float = intrinsic(_bitcast(types.float64, types.int64, ir.IntType(64)))
    float_of_bits = intrinsic(_bitcast(types.int64, types.float64, ir.DoubleType()))
    leading_zeros = intrinsic(_leading_zeros)
    if llvmlite.binding.get_host_cpu_features().get("sse4.2"):
        crc32c_of_word = intrinsic(_crc32c_of_word)
    else:
        crc32c_of_word = register_jitable(crc32c_of_word_twin)
