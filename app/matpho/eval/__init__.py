"""`matpho eval`: what the shipped models and the search reach on days they never saw."""
