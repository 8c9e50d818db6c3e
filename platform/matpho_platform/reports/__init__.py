"""Reports that are put together from several services: the daily briefing."""
