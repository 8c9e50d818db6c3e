"""How the city looks: lens, colours, solids, backgrounds and the renderer that puts movers in front of them."""
