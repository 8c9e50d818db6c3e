"""The simulated city: cameras that are real network servers over a rendered Vietnamese street, with the truth written down."""
