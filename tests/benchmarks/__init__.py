"""The benchmarks of `make bench`: see `__main__` for the command, `scenarios` for what is measured and promised."""
