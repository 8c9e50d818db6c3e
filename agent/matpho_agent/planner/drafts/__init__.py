"""What the words of one clause say about a tool's arguments; the same reading serves a wish, an answer and an edit."""
