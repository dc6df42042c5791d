"""How fast files run on this host: timed in turns, compared in pairs, with what disturbed them."""
