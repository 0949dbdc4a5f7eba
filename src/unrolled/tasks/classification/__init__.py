"""The pieces of the classifier: its options, its two kinds of input and its two kinds of target."""
