"""Sequence in, sequence out: recurrent layers as torch modules."""

from unrolled.layers import onnx_nodes as onnx_nodes  # torch's exporter finds what it registers
from unrolled.layers.cell_layer import Recurrent
from unrolled.layers.record import Direction, Unrolled
from unrolled.layers.recurrent import GRU, LSTM, RNN, build_recurrent
from unrolled.layers.state import State, detach_state, map_state, reset_rows
from unrolled.layers.streaming import Stream

__all__ = [
    "GRU",
    "LSTM",
    "RNN",
    "Direction",
    "Recurrent",
    "State",
    "Stream",
    "Unrolled",
    "build_recurrent",
    "detach_state",
    "map_state",
    "reset_rows",
]
