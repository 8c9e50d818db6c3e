"""The ground: what every part of Matpho agrees on, and nothing that does work of its own."""
