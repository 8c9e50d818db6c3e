"""What the city is and does: layouts, traffic, incidents, scripts and the truth about them."""
