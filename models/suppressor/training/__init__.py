"""How the weights are made. Needs torch; the product never imports this package."""
