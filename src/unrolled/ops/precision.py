"""How exact a float32 recurrence has to be on a processor with matrix tiles: the switch and what it means."""

from typing import Literal, get_args

from unrolled.errors import ConfigError

Precision = Literal["highest", "high", "medium"]
_TERMS: dict[Precision, int] = {"highest": 3, "high": 2, "medium": 1}


def set_float32_recurrence_precision(precision: Precision) -> None:
    """Choose how exact float32 products of recurrent layers are, as torch's own switch does for products.

    Intel's AMX multiplies matrices of bfloat16 many times as fast as of float32. A float32 can be split into
    several bfloat16 whose products add up to that of the whole:

    - "highest", the default: three terms, as exact as float32 (errors around 1e-6 of the result's size), used
      where that is faster;
    - "high": two terms, errors around 1e-5;
    - "medium": bfloat16 itself, errors around 1e-2.

    Sums, states and activations are float32 always. Without AMX, and wherever it would not be faster, all
    three run as float32 does. What counts is the choice at the time a product is computed: a backward pass
    goes by what holds when it runs, not by what held in its forward pass.

    Args:
        precision: "highest", "high" or "medium", for the whole process.

    Raises:
        ConfigError: it is none of these.

    Example:
        >>> set_float32_recurrence_precision("high")
        >>> get_float32_recurrence_precision()
        'high'
        >>> set_float32_recurrence_precision("highest")
    """
    global _precision
    if precision not in _TERMS:
        raise ConfigError(
            f"expected the precision to be one of {', '.join(get_args(Precision))}, got {precision!r}."
        )
    _precision = precision


def get_float32_recurrence_precision() -> Precision:
    """What `set_float32_recurrence_precision` has chosen."""
    return _precision


def terms() -> int:
    """Into how many bfloat16 a float32 may be split."""
    return _TERMS[_precision]


_precision: Precision = "highest"
