"""The composition root: settings, wiring, command line and the demo. Nothing else lives here."""
