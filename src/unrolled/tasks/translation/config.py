"""The options of a translator."""

from __future__ import annotations

from typing import Any, Self

from pydantic import Field, model_validator

from unrolled.models.cell import AnyCell
from unrolled.models.config import NetworkConfig, Size
from unrolled.tasks.config import defaults
from unrolled.tasks.writing.config import ConditionalConfig, Unit


@defaults(
    cell="gru",
    hidden_size=128,
    bidirectional=True,
    dropout=0.1,
    epochs=15,
    batch_size=64,
    learning_rate=3e-3,
    weight_decay=0.01,
    schedule="cosine",
    warmup=0.02,
    patience=8,
)
class TranslateConfig(ConditionalConfig):
    """How a translator reads its data, is built and is trained.

    The options of recurrent layers are those of both networks, ``bidirectional`` that of the encoder.
    """

    source_column: str | None = Field(None, description="Column of the sources; guessed where left out.")
    target_column: str | None = Field(None, description="Column of the targets; guessed where left out.")
    history: int = Field(
        0, ge=0, description="Earlier exchanges of a conversation to read before each source, for chat."
    )
    conversation_column: str | None = Field(
        None, description="Column that tells conversations apart; guessed where left out."
    )
    unit: Unit = Field(
        "auto",
        description="What sources are cut into; auto looks at them: symbols without spaces are read "
        "by character, texts of few words by word, others by byte pairs.",
    )
    target_unit: Unit = Field("auto", description="What targets are made of; auto looks at them.")
    shared_vocabulary: bool = Field(
        False, description="One vocabulary for sources and targets, which then have one unit."
    )
    max_source_length: Size = Field(
        500, description="Symbols that a source may have; a longer one is an error, or cut with truncate."
    )
    truncate: bool = Field(False, description="Cut sources that are too long instead of refusing them.")
    max_target_length: int | None = Field(
        None, ge=1, description="Symbols to write at most; by default what training saw for such a source."
    )
    copying: bool = Field(
        False, description="Let the decoder copy symbols of the source, unknown ones too (pointer-generator)."
    )
    decoder_cell: AnyCell | None = Field(None, description="The decoder's cell; by default the encoder's.")
    decoder_hidden_size: Size | tuple[Size, ...] | None = Field(
        None, description="Units of each of the decoder's layers; by default the encoder's."
    )
    decoder_num_layers: Size | None = Field(
        None, description="The decoder's recurrent layers; by default as many as the encoder's."
    )

    @model_validator(mode="after")
    def _consistent_translation(self) -> Self:
        for name, asked in {"input_feeding": self.input_feeding, "copying": self.copying}.items():
            if asked and self.attention == "none":
                raise ValueError(f"{name}: expected attention with it, got attention='none'")
        if (
            self.shared_vocabulary
            and self.unit != self.target_unit
            and "auto" not in (self.unit, self.target_unit)
        ):
            raise ValueError(
                f"shared_vocabulary: expected one unit for sources and targets, got unit={self.unit!r} and "
                f"target_unit={self.target_unit!r}"
            )
        self.decoder_network()
        return self

    def encoder_network(self) -> NetworkConfig:
        """The encoder's recurrent layers."""
        return NetworkConfig.model_validate(self._network_options())

    def decoder_network(self) -> NetworkConfig:
        """The decoder's: those of the encoder where nothing else is said, and reading forwards."""
        options = self._network_options()
        own = {
            "cell": self.decoder_cell,
            "hidden_size": self.decoder_hidden_size,
            "num_layers": self.decoder_num_layers,
        }
        options |= {name: value for name, value in own.items() if value is not None}
        # What only the encoder's cell has is not the decoder's.
        if options["cell"] != self.cell:
            for name in ("peepholes", "projection_size", "activation"):
                options[name] = NetworkConfig.model_fields[name].default
        # It acts between layers.
        if options["num_layers"] == 1:
            options["variational_dropout"] = False
        return NetworkConfig.model_validate(options | {"bidirectional": False})

    def _network_options(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in NetworkConfig.model_fields}
