"""Demo data: people, their clips made on the spot, and what they do with them."""
