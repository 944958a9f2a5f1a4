"""The digest of data has the same value in all processes, whatever the order of their sets."""

import os
import subprocess
import sys

PROGRAM = """
from pydantic import BaseModel, SecretStr
from modhost_background_jobs.client.flow_keys import DataKeys
from modhost_background_jobs.contracts import ModuleJob
from modhost_background_jobs.model.data.job_data import to_stored

class Data(BaseModel):
    words: set[str]
    pairs: dict[str, frozenset[SecretStr]]

class Job(ModuleJob):
    async def execute(self, context):
        pass

words = {chr(97 + at) for at in range(20)}
data = Data(words=words, pairs={"a": frozenset(map(SecretStr, words))})
for given in (data, {"words": words}):
    keys = DataKeys(Job, given, to_stored(given))
    print(keys.digest("type", None), keys.digest("type", "words"), keys.key("words", "rate"))
"""


def test_a_set_has_the_same_key_in_all_processes() -> None:
    outputs = {
        subprocess.run(
            [sys.executable, "-c", PROGRAM],
            env={**os.environ, "PYTHONHASHSEED": seed},
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        for seed in ("1", "2", "3")
    }
    (output,) = outputs
    assert len(output.split()) == 6
