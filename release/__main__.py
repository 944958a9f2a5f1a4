"""`make release VERSION=…`: everything but the upload."""

import os
import subprocess
import sys
from argparse import ArgumentParser
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from release.distributions import Incomplete, build, check
from release.trial import try_out
from release.versions import BadVersion, set_version

ROOT = Path(__file__).parents[1]
UV = os.environ.get("UV", "uv")


def main() -> int:
    """Return 0 when all is ready for an index of packages, 2 when nothing can be released."""
    parser = ArgumentParser("make release", description=__doc__)
    parser.add_argument("version", help="e.g. 0.2.0 or 1.0.0rc1")
    version = parser.parse_args().version
    try:
        set_version(ROOT, version, datetime.now(UTC).date(), UV)
        built = build(ROOT, ROOT / "dist")
        check(ROOT, built)
        with TemporaryDirectory() as folder:
            try_out(ROOT, built, Path(folder), UV)
    except (BadVersion, Incomplete) as error:
        print(f"Error: {error}", file=sys.stderr)
        return 2
    except subprocess.CalledProcessError as error:
        output = (error.stderr or b"").decode()
        print(f"Error: `{' '.join(map(str, error.cmd))}` failed. {output}", file=sys.stderr)
        return 1
    names = "\n".join(f"  dist/{each.name}" for each in built)
    print(f"Ready:\n{names}\nCommit, tag v{version}, then `.venv/bin/twine upload dist/modhost*`.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
