"""Prompt files by role and language, versioned."""
