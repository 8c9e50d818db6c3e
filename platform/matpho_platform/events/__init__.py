"""Events at the center: intake, search, statistics."""
