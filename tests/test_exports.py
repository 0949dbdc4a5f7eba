import subprocess
import sys

import pytest

import unrolled


def test_all_lists_the_lazy_table():
    assert sorted(unrolled.__all__) == sorted(unrolled._MODULE_OF)


@pytest.mark.parametrize("name", unrolled.__all__)
def test_every_export_resolves(name):
    assert getattr(unrolled, name).__module__.startswith(unrolled._MODULE_OF[name])
    assert name in dir(unrolled)


def test_diagnosis_needs_no_import_of_its_own():
    assert callable(unrolled.diagnosis.watch)
    assert "diagnosis" in dir(unrolled)


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'Transformer'"):
        _ = unrolled.Transformer


def test_importing_the_package_imports_nothing_heavy():
    heavy = "{'torch', 'pandas', 'sklearn', 'matplotlib', 'accelerate'}"
    code = f"import sys, unrolled; print(sorted({heavy} & set(sys.modules)))"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert shown.strip() == "[]"
