"""The tools of the assistant and the one gateway through which everybody runs them."""
