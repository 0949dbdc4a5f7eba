"""The pieces of the translator: its options, how texts become symbols, its scores, conversations."""
