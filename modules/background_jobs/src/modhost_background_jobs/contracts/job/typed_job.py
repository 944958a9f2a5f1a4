"""What a job is given and what it returns, as types alone."""

from typing import Any, Generic

from typing_extensions import TypeVar

Data_contra = TypeVar("Data_contra", contravariant=True, default=Any)
Result_co = TypeVar("Result_co", covariant=True, default=Any)


class TypedJob(Generic[Data_contra, Result_co]):
    """The types of a job. It is the base of `ModuleJob`, whose context can enqueue jobs itself."""
