"""A recurrent cell, described once: its definition, the program traced from it, and what is derived of that."""
