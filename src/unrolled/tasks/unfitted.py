"""What is raised where an estimator is used before it has learned anything."""

from __future__ import annotations

from sklearn.exceptions import NotFittedError

from unrolled.errors import ConfigError


class UnfittedError(ConfigError, NotFittedError):
    """An estimator has no model yet; scikit-learn's own error, too."""
