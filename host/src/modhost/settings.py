"""Settings: options of modules that administrators change while the host runs."""

from typing import Protocol, TypeVar

from pydantic import BaseModel, ConfigDict


class ModuleSettings(BaseModel):
    """Base of a module's settings: unknown names are errors, and a model never changes.

    Every field has a default. `Field(title=…, description=…)` is what administrators read.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)


Model = TypeVar("Model", bound=ModuleSettings, covariant=True)


class Settings(Protocol[Model]):
    """The settings of a module: `Settings[ReportsSettings]` is a service.

    Every process of the host follows a change within a second.
    """

    @property
    def current(self) -> Model:
        """The settings as they are now; reading them asks nobody.

        Read it once for work that needs several of them: the model that it returns never changes.
        """
