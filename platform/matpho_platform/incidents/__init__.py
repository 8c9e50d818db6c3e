"""Incidents: procedures, units, and the way of each incident from its opening to its end."""
