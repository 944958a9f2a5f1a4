"""The reference of the API for people: what the OpenAPI document says, ready to be shown."""

from modhost.web.reference.operations import ApiReference, Operation

__all__ = ["ApiReference", "Operation"]
