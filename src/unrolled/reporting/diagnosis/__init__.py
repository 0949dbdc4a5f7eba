"""The drawings and the page of a diagnosis."""
