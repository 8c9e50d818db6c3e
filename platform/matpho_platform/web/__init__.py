"""The web server of a center: API and pages."""
