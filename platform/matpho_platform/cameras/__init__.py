"""The camera registry, edge boxes and their command queue."""
