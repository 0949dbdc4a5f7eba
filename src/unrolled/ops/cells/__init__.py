"""A recurrent cell, described once: its definition, its program, and what is derived of that."""
