"""Identity checks: one subject, one case, a second person, the authentication centre; never in bulk, never silent."""
