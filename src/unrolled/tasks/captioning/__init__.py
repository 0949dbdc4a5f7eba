"""The pieces of the captioner: its options, and what it writes about."""
