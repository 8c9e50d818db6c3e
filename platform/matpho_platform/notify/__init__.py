"""Notices to people: promised with the work that causes them, delivered over several channels until somebody knows."""
