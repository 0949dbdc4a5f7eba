"""What a cell computes over all time steps, and its gradient.

``cells/`` does so for any cell, from its program; `whole` for those that the compiled library, ``native/``,
has kernels of their own for. Time-major throughout, with the legend ``T`` steps, ``B`` rows of the batch,
``H`` hidden units, ``P`` units of the state where it is projected (else ``H``).
"""
