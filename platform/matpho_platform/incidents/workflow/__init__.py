"""Following incidents durably: what is due is done once, on time, whatever process dies when."""
