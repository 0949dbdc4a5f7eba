"""Networks whose verdict is known before it is asked for."""
