"""How close is close enough, in one table: by type of number and by what is compared."""

import torch

TOLERANCES = {
    (torch.float64, "value"): {"rtol": 1e-10, "atol": 1e-12},
    (torch.float64, "gradient"): {"rtol": 1e-9, "atol": 1e-11},
    (torch.float32, "value"): {"rtol": 1e-5, "atol": 1e-6},
    (torch.float32, "gradient"): {"rtol": 1e-4, "atol": 1e-5},
}

RELATIVE_ERROR = {
    # Of the compiled recurrences against the float64 reference, as the norm of the difference over the norm.
    (torch.float32, "kernel"): 2e-6,
    (torch.float64, "kernel"): 1e-11,
    # With the precision of the recurrences switched to.
    (torch.float32, "highest"): 2e-6,
    (torch.float32, "high"): 3e-5,
    (torch.float32, "medium"): 2e-2,
}
"""How large a whole tensor's error may be beside the tensor."""


def tolerance(dtype, purpose):
    return TOLERANCES[dtype, purpose]
