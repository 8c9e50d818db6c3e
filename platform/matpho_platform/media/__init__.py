"""Stills and clips: stored thumbnails, snapshots and clips fetched from the edge on demand."""
