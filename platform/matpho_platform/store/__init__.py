"""The store: one SQL schema on SQLite or PostgreSQL, reading and writing sessions, and the blobs beside it."""

from matpho_platform.store.blobs import BlobStore, FolderBlobs
from matpho_platform.store.engine import Store, open_store
from matpho_platform.store.session import ReadSession, WriteSession

__all__ = ["BlobStore", "FolderBlobs", "ReadSession", "Store", "WriteSession", "open_store"]
