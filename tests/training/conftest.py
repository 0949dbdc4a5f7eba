import pytest
import torch


@pytest.fixture(scope="session")
def accelerator():
    from unrolled.training.config import TrainingConfig
    from unrolled.training.processes import build_accelerator

    return build_accelerator(TrainingConfig(device="cpu"))


@pytest.fixture(autouse=True)
def _seed():
    torch.manual_seed(0)
