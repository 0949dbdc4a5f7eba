import subprocess
import sys

import pytest
import torch

import unrolled


@pytest.mark.parametrize("imports", ["import unrolled, torch", "import torch, unrolled"])
def test_an_exported_program_loads_after_import_unrolled(imports, tmp_path):
    file = tmp_path / "layer.pt2"
    torch.export.save(torch.export.export(unrolled.GRU(3, 4).eval(), (torch.randn(5, 2, 3),)), file)
    code = f"{imports}; print(torch.export.load({str(file)!r}).module()(torch.zeros(5, 2, 3))[0].shape)"
    ran = subprocess.run([sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True)
    assert ran.stdout.strip() == "torch.Size([5, 2, 4])", ran.stderr


def test_a_part_of_the_package_can_be_imported_before_torch():
    imports = "import unrolled; from unrolled.ops.cells.operator import scan; import torch"
    code = f"{imports}; print(torch.ops.unrolled.scan)"
    ran = subprocess.run([sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True)
    assert "unrolled.scan" in ran.stdout, ran.stderr
