"""CLIP encoders, the vector index and hybrid retrieval: pictures and words made findable."""
