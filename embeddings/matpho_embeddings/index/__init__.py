"""The vector index: one contract, Qdrant Edge in its own process on a laptop, a Qdrant server in a province."""
