"""Where values were set: in the file, or by which environment variables."""

from collections.abc import Collection, Mapping

from modhost.configuration.values import Path


class Origins:
    """Knows which file or environment variable set a key.

    Args:
        source: the words for the file.
        in_file: the keys that the file sets.
        variables: the keys that environment variables set, which go before the file.

    """

    def __init__(
        self, source: str, in_file: Collection[Path], variables: Mapping[Path, str]
    ) -> None:
        self._source = source
        self._variables = dict(variables)
        self._in_file = [path for path in in_file if path not in self._variables]

    def of(self, path: Path) -> str:
        """Return the words for all that set a key, or something within a table."""
        variable = self.variable(path)
        if variable is not None:
            return f"environment variable {variable}"
        found = [self._source] if any(_is_within(each, path) for each in self._in_file) else []
        found += [
            f"environment variable {name}"
            for each, name in self._variables.items()
            if _is_within(each, path)
        ]
        return " and ".join(found) or self._source

    def short(self, path: Path) -> str:
        """Return what set a key in a word: the variable, the file, or `default`."""
        is_set = any(_is_within(each, path) or _is_within(path, each) for each in self._in_file)
        return self.variable(path) or (self._source if is_set else "default")

    def variable(self, path: Path) -> str | None:
        """Return the environment variable that set a key, or a table around it."""
        for length in range(len(path), 0, -1):
            variable = self._variables.get(path[:length])
            if variable is not None:
                return variable
        return None


def _is_within(path: Path, table: Path) -> bool:
    return path[: len(table)] == table
