"""Training and export of the shipped models. Needs the extra `train` (torch); nothing here is imported at run time."""
