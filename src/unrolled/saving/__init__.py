"""Model folders and checkpoints on disk: written whole or not at all, read without pickle."""

from unrolled.saving.folder import FORMAT_VERSION, Contents, read_folder, write_folder

__all__ = ["FORMAT_VERSION", "Contents", "read_folder", "write_folder"]
