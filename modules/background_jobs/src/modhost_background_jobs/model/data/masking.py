"""Texts that people read about a job's data, without the secrets of the data."""

import json
import re
from typing import Final

from modhost_background_jobs.model.data.job_data import spellings
from modhost_background_jobs.model.data.secret_json import MASK, may_have_secrets, secret_texts

# Shorter ones are parts of other words, and are masked where they stand alone.
_SHORTEST_WITHIN: Final = 4


def without_secrets(text: str, stored: str | None) -> str:
    """Return a text with the secrets of the stored data masked, in whichever case they are."""
    if stored is None or not may_have_secrets(stored):
        return text
    secrets = {each for secret in secret_texts(json.loads(stored)) for each in spellings(secret)}
    patterns = [
        re.escape(each) if len(each) >= _SHORTEST_WITHIN else rf"(?<!\w){re.escape(each)}(?!\w)"
        for each in sorted(secrets, key=len, reverse=True)
        if each.strip()
    ]
    return re.sub("|".join(patterns), MASK, text, flags=re.IGNORECASE) if patterns else text
