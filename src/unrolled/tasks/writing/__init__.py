"""What all tasks share that write a text: its symbols, the search for it or its drawing, and its scores."""
