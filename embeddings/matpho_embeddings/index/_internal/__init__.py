"""The parts of the vector index that nobody outside it needs to know."""
