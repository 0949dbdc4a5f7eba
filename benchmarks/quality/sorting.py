"""Lists of 5 to 10 numbers of two digits, sorted: every number right on lists never seen."""

from benchmarks.quality.claim import claim

claim("exact match", 0.99, ["translate", "sorting", "--test", "sorting@1"], better="more")
