"""Signing in over HTTP: `/api/v1/auth`."""
