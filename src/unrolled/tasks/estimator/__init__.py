"""What an estimator does, a part a file; `unrolled.tasks.base.Estimator` is all of them."""
