from .huffman_coding.code import HuffmanCode as HuffmanCode
from .huffman_coding.code_lengths import canonical_codes as canonical_codes
from .huffman_coding.code_lengths import huffman_code_lengths as huffman_code_lengths
from .huffman_coding.container import huffman_compress as huffman_compress
from .huffman_coding.container import huffman_compress_chunks as huffman_compress_chunks
from .huffman_coding.container import huffman_decompress as huffman_decompress
from .huffman_coding.container import huffman_decompress_chunks as huffman_decompress_chunks
from .measures import entropy as entropy
