from random import Random

import pytest

from tests.fuzz.data.series import SeriesCase, draw


@pytest.mark.parametrize("seed", range(40))
def test_series_are_read_as_they_were_written(seed):
    assert draw(Random(f"kept {seed}")).difference() is None


@pytest.mark.parametrize(
    "case",
    [
        # A gap among fixed steps of about a month.
        SeriesCase(
            name="a.csv",
            content=b"ds,y\n16 Nov 2003,1\n16 Dec 2003,2\n15 Jan 2004,3\n15 Mar 2004,4\n14 Apr 2004,5\n",
            options=(),
            series=(
                (
                    "y",
                    ("2003-11-16", "2003-12-16", "2004-01-15", "2004-02-14", "2004-03-15", "2004-04-14"),
                    ("2004-05-14", "2004-06-13"),
                    (1, 2, 3, None, 4, 5),
                    "30D",
                ),
            ),
        ),
        # Years with a gap over one row of numbers.
        SeriesCase(
            name="a.csv",
            content=b"shop,2004,2006,2007,2008\ny,25.5,2316,969.75,419\n",
            options=(),
            series=(
                (
                    "y",
                    ("2004-01-01", "2005-01-01", "2006-01-01", "2007-01-01", "2008-01-01"),
                    ("2009-01-01", "2010-01-01"),
                    (25.5, None, 2316, 969.75, 419),
                    "YS",
                ),
            ),
        ),
        # Twice a year is every six months.
        SeriesCase(
            name="a.csv",
            content=b"when,y\n01-Jul-06,1\n01-Jan-07,2\n01-Jul-07,3\n",
            options=(),
            series=(
                (
                    "y",
                    ("2006-07-01", "2007-01-01", "2007-07-01"),
                    ("2008-01-01", "2008-07-01"),
                    (1, 2, 3),
                    "6MS",
                ),
            ),
        ),
    ],
)
def test_what_once_was_read_as_something_else(case):
    assert case.difference() is None
