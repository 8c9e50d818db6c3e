"""Watches: standing queries over new events, for places and objects, never for a person."""
