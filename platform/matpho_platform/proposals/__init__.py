"""Acts that wait for somebody's yes."""
