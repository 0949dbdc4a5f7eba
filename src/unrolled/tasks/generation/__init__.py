"""What `unrolled.Generator` can write: running text, and sets of notes."""
