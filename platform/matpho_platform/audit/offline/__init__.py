"""What travels in every export: a verifier that needs nothing but Python, and how to read it."""

from __future__ import annotations

from pathlib import Path

FOLDER = Path(__file__).parent
VERIFIER = FOLDER / "verify_audit.py"
"""The verifier: one file, the standard library alone; it imports nothing of ours and may be read in an hour."""
READMES = (FOLDER / "README.vi.md", FOLDER / "README.en.md")
