"""What scikit-learn asks of an estimator. It is no base of ours: it takes a second to import."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Literal, Self, TypeVar, cast

import numpy as np

from unrolled.tasks.config import TaskConfig
from unrolled.tasks.given_inputs import GivenForm
from unrolled.tasks.options import validated

if TYPE_CHECKING:
    from sklearn.utils import Tags

Configuration = TypeVar("Configuration", bound=TaskConfig)


class ScikitContract(Generic[Configuration]):
    """The options of an estimator under scikit-learn's names for what is done with them."""

    Config: ClassVar[type[TaskConfig]]
    _given_form: GivenForm | None
    _needs_targets: ClassVar[bool] = False
    """Whether `fit(X, y)` is nothing without ``y``."""
    _exact: bool = False
    """Every option that was given was asked for."""

    def __init__(self, **options: Any) -> None:
        self._config = cast(Configuration, validated(self.Config, options))
        # As they came: pydantic may make other objects of them.
        self._params = dict(options)

    @classmethod
    def exactly(cls, **options: Any) -> Self:
        """An estimator with these options, of which none gives way to what suits the data.

        Where every option is given, as by a model's ``config.json``, the plain form of the class takes those
        at their defaults for a search's, which nobody has asked for.

        Raises:
            ConfigError: there is no such option, or its value does not fit.
        """
        made = cls(**options)
        made._exact = True
        return made

    @property
    def config(self) -> Configuration:
        """The options as asked for."""
        return self._config

    @property
    def _kind(self) -> Literal["classifier", "regressor"] | None:
        """What scikit-learn knows this for."""
        return None

    @property
    def n_features_in_(self) -> int:
        """The columns of the table that `fit(X, y)` was given, or the numbers of a step of its sequences."""
        if self._given_form is None or self._given_form.features is None:
            raise AttributeError(f"this {type(self).__name__} was fitted to no array of numbers")
        return self._given_form.features

    @property
    def feature_names_in_(self) -> np.ndarray:
        """The names of the columns of the frame that `fit(X, y)` was given."""
        if self._given_form is None or self._given_form.names is None:
            raise AttributeError(f"this {type(self).__name__} was fitted to no frame of numbers")
        return np.array(self._given_form.names, dtype=object)

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """The options by name, as scikit-learn asks for them."""
        params = dict(self._config) | self._params
        return copy.deepcopy(params) if deep else params

    def set_params(self, **options: Any) -> Self:
        """Change options; the estimator has to be fitted again to follow them.

        Raises:
            ConfigError: there is no such option, or its value does not fit; none is changed then.
        """
        asked = self._params | options
        self._config = cast(Configuration, validated(self.Config, asked))
        self._params = asked
        return self

    def __sklearn_clone__(self) -> Self:
        made = type(self)(**copy.deepcopy(self._params))
        made._exact = self._exact
        return made

    def __sklearn_tags__(self) -> Tags:
        from sklearn.utils import ClassifierTags, InputTags, RegressorTags, Tags, TargetTags

        return Tags(
            estimator_type=self._kind,
            target_tags=TargetTags(required=self._needs_targets),
            classifier_tags=ClassifierTags(multi_label=True) if self._kind == "classifier" else None,
            regressor_tags=RegressorTags() if self._kind == "regressor" else None,
            input_tags=InputTags(three_d_array=True, string=True, allow_nan=True),
        )

    def _asked_for(self) -> set[str]:
        """The options given; where all were, as a search may do, those off their default."""
        given = self._config.model_fields_set
        if self._exact or len(given) < len(self.Config.model_fields):
            return given
        default = validated(self.Config, {})
        return {name for name in given if getattr(self._config, name) != getattr(default, name)}

    def __repr__(self) -> str:
        asked = self._asked_for()
        options = ", ".join(f"{name}={value!r}" for name, value in self._params.items() if name in asked)
        return f"{type(self).__name__}({options})"
