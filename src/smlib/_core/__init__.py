"""What every area may use, and nothing else: kernels, validation, results, sparse rows."""
