"""The models that ship: each in a folder of its own with its card, its licence and its checksums."""
