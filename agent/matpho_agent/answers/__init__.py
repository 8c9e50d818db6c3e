"""Writing answers: deterministic, from results alone, every fact with the id it comes from."""
