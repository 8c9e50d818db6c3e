"""The center: intake, store, search, cameras, media, access, audit and the web."""
