"""A layer, or a model that runs step by step, as C99 that needs nothing but ``math.h``."""
