"""The losses of super-resolution; docs/super_resolution.md compares them."""
