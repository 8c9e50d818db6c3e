"""Benchmarks: ours and its peers side by side in one run on one machine. Import the one you want."""
