"""The simple methods whose scores stand beside the networks'."""
