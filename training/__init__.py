"""Training in pure PyTorch; may import ``lprfast``, never the reverse."""
