"""The pieces of the tagger: its options, and how words become numbers."""
