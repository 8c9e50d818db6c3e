"""Evidence: events, stills and clips of a case in one signed package that anybody can check without us."""
