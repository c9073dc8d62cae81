"""PyTorch training of the models that lprfast runs; lprfast itself never imports it."""
