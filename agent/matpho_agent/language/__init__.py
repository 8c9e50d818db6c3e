"""Reading what people write: Vietnamese with and without marks, English, both mixed."""
