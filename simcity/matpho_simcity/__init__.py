"""The simulated city: cameras that are real servers over a rendered Vietnamese street, the truth written down."""
