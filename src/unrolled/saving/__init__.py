"""Model folders and checkpoints on disk: written whole or not at all, read without pickle."""
