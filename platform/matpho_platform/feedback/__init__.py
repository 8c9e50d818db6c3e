"""Citizens' reports: filed under a tracking code, routed to a unit, followed by their history."""
