"""The options of a recurrent network, as a user writes them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from unrolled.models.cell import AnyCell, keeps, name_of

Share = Annotated[float, Field(ge=0, lt=1)]
Size = Annotated[int, Field(ge=1)]
AttentionKind = Literal["none", "additive", "multiplicative"]
Pooling = Literal["last", "mean", "max", "attention"]


class NetworkConfig(BaseModel):
    """The recurrent layers of a network.

    Example:
        >>> NetworkConfig(cell="gru", hidden_size=32).layer_options()["hidden_size"]
        32
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    cell: AnyCell = Field(
        "lstm",
        description="The cell that is unrolled over time: one of these, another of the library, or "
        "file.py:Name for one of your own.",
    )
    hidden_size: Size | tuple[Size, ...] = Field(
        128, description="Units of each recurrent layer; several numbers give every layer its own width."
    )
    num_layers: Size = Field(1, description="Recurrent layers, one on top of the other.")
    bidirectional: bool = Field(False, description="Read the sequence in both directions.")
    dropout: Share = Field(0.0, description="Share of units dropped between layers and before the output.")
    variational_dropout: bool = Field(
        False, description="Let the dropout between layers drop the same units at every step of a sequence."
    )
    recurrent_dropout: Share = Field(
        0.0,
        description="Share of the recurrent input dropped, the same units at every step (variational).",
    )
    zoneout: Share = Field(0.0, description="Probability that a unit keeps its previous value in a step.")
    weight_drop: Share = Field(
        0.0, description="Share of recurrent weights dropped for a whole pass (DropConnect)."
    )
    state_noise: float = Field(
        0.0,
        ge=0,
        allow_inf_nan=False,
        description="Standard deviation of the noise added to the state at every step in training.",
    )
    layer_norm: bool = Field(False, description="Normalise each layer's summed inputs at every step.")
    activation: Literal["tanh", "relu", "sigmoid", "identity"] = Field(
        "tanh", description="Activation of the plain RNN cell."
    )
    peepholes: bool = Field(False, description="Let the LSTM's gates see the cell state.")
    projection_size: int = Field(
        0, ge=0, description="Project the LSTM's hidden state to this many units; 0 does not project."
    )
    initial_state: Literal["zeros", "learned", "random"] = Field(
        "zeros", description="The state before the first step."
    )
    recurrent_init: Literal["uniform", "orthogonal", "identity", "xavier"] = Field(
        "orthogonal", description="How the recurrent weights start out."
    )
    forget_bias: float | None = Field(
        None,
        description="The LSTM forget gate's bias at the start; 1 helps it remember. Other cells have none.",
    )
    chrono: float | None = Field(
        None,
        gt=2,
        description="The longest dependency expected, in steps: units of an LSTM or GRU start out "
        "remembering for 1 to that many. Takes the place of forget_bias.",
    )

    @model_validator(mode="before")
    @classmethod
    def _chrono_replaces_the_usual_forget_bias(cls, options: Any) -> Any:
        # Both set the same bias. A task's default gives way; two that were asked for contradict each other.
        if not isinstance(options, dict) or options.get("chrono") is None:
            return options
        if options.get("forget_bias") is not None:
            raise ValueError(
                "chrono and forget_bias set the same bias: expected one of them, "
                f"got chrono={options['chrono']} and forget_bias={options['forget_bias']}"
            )
        return options | {"forget_bias": None}

    @model_validator(mode="after")
    def _options_fit_the_cell(self) -> NetworkConfig:
        lstm_only = {
            "peepholes": self.peepholes,
            "projection_size": self.projection_size > 0,
        }
        wrong = [name for name, used in lstm_only.items() if used and self.cell != "lstm"]
        if wrong:
            raise ValueError(f"{' and '.join(wrong)} need cell='lstm', got {name_of(self.cell)}")
        if self.activation != "tanh" and self.cell != "rnn":
            raise ValueError(f"activation={self.activation!r} needs cell='rnn', got {name_of(self.cell)}")
        if self.chrono is not None and self.cell != "gru" and not keeps(self.cell):
            raise ValueError(
                "chrono needs a cell with a gate that keeps, such as 'lstm' or 'gru', "
                f"got {name_of(self.cell)}"
            )
        if self.variational_dropout and (self.num_layers == 1 or not self.dropout):
            raise ValueError(
                "variational_dropout acts between layers: expected num_layers above 1 and dropout above 0, "
                f"got num_layers={self.num_layers} and dropout={self.dropout}"
            )
        if isinstance(self.hidden_size, tuple) and len(self.hidden_size) != self.num_layers:
            raise ValueError(
                f"hidden_size has {len(self.hidden_size)} widths for num_layers={self.num_layers}"
            )
        return self

    @property
    def output_size(self) -> int:
        """The size of the top layer's output at every step, both directions together.

        Example:
            >>> NetworkConfig(hidden_size=(8, 4), num_layers=2, bidirectional=True).output_size
            8
        """
        top = self.hidden_size[-1] if isinstance(self.hidden_size, tuple) else self.hidden_size
        return (self.projection_size or top) * (2 if self.bidirectional else 1)

    def layer_options(self) -> dict[str, Any]:
        """The keyword arguments of `unrolled.layers.build_recurrent`, but for the input's size."""
        foreign = set() if keeps(self.cell) else {"forget_bias"}
        foreign |= {"activation"} if self.cell != "rnn" else {"chrono"}
        # Not dumped: a cell that is not fused is an object of somebody's own class.
        options = {name: getattr(self, name) for name in NetworkConfig.model_fields if name not in foreign}
        if self.num_layers == 1:  # a layer's own acts between layers only, and says so
            del options["dropout"]
        return options
