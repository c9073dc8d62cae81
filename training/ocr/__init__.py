"""Training of the CTC plate reader: models, data, loop and checkpoints."""
