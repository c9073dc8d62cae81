"""Training of super-resolution networks for plates."""
