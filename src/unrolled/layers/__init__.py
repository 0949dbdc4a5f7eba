"""Sequence in, sequence out: recurrent layers as torch modules."""
