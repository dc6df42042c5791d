"""What files gave on each sample, matched sample by sample, and which samples are not independent of each other."""
