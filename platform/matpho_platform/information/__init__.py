"""What everybody may know: hours, hotlines, how reports are handled, what cameras record and why, one's own rights."""
