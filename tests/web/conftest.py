"""A host that serves things."""

import pytest

from web.serving import MANAGE, VIEW, Serving
from web.things import ThingNotFound, Things, create_thing, get_thing, list_things


@pytest.fixture
def serving() -> Serving:
    serving = Serving()
    serving.services.add_scoped(Things)
    serving.web.endpoints.map_error(ThingNotFound, 404)
    serving.web.endpoints.get("/{id}", get_thing, permission=VIEW)
    serving.web.endpoints.get("/", list_things, permission=VIEW)
    serving.web.endpoints.post("/", create_thing, permission=MANAGE)
    return serving
