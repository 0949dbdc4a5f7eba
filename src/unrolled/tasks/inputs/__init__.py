"""What tasks read, one kind of input a file, for every task that can read it."""
