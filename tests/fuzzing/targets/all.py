"""All targets, in the order in which they are attacked."""

from collections.abc import Callable
from typing import Final

from fuzzing.attacked import AttackedHost
from fuzzing.campaign import Target
from fuzzing.targets.api import Api
from fuzzing.targets.configuration import ConfigurationFiles
from fuzzing.targets.cookies import Cookies
from fuzzing.targets.cron import Cron
from fuzzing.targets.csvs import Csv
from fuzzing.targets.data import Data
from fuzzing.targets.headers import Headers
from fuzzing.targets.pages import Pages
from fuzzing.targets.tokens import Tokens

TARGETS: Final[dict[str, Callable[[AttackedHost], Target]]] = {
    "api": Api,
    "pages": Pages,
    "cron": Cron,
    "configuration": lambda _: ConfigurationFiles(),
    "data": Data,
    "csv": Csv,
    "headers": Headers,
    "cookies": Cookies,
    "tokens": Tokens,
}
