"""How a simulated run went: waits, cost, elasticity, and what a clairvoyant would have paid."""
