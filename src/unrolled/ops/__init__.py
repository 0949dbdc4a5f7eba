"""What a cell computes: one recurrence over all time steps is one torch operator.

``rnn.py``, ``gru.py`` and ``lstm.py`` each hold the equations, a plain-torch reference, the operator and
its gradient written by hand; ``native/`` registers the compiled kernels of these operators. Time-major
throughout, with the legend ``T`` steps, ``B`` rows of the batch, ``H`` hidden units, ``P`` units of the
state where it is projected (else ``H``).
"""

from unrolled.ops import native

native.register()
