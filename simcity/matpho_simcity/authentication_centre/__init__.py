"""A simulated authentication centre, as strict as a real one: a desk that judges, a server, a stand-in."""
