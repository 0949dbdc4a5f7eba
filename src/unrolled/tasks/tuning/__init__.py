"""The search for options: what is tried, how the poor is stopped, and what was found."""
