"""The web side of the host: what modules serve, and the application that serves it."""

from modhost.web.access.context import (
    Authenticator,
    current_principal,
    principal_now,
    request_scope,
)
from modhost.web.app import build_app
from modhost.web.binding.body import media_type, read_json
from modhost.web.binding.parameters import Body, Form, Handler, Header, Query
from modhost.web.binding.results import Reply
from modhost.web.host_pages import host_web
from modhost.web.middleware.addressing import base_path
from modhost.web.middleware.counting import RequestCounts
from modhost.web.openapi import OpenApi
from modhost.web.problems import FieldError, HttpProblem
from modhost.web.rendering.branding import Branding, UnusableLogo
from modhost.web.rendering.shell import ADMINISTRATION, Menu, MenuEntry, Page, Shell
from modhost.web.rendering.templates import template_environment
from modhost.web.routing.checks import check_web
from modhost.web.routing.declarations import Declaration, Endpoints, Pages
from modhost.web.routing.module_web import MiddlewareStack, ModuleWeb
from modhost.web.routing.routes import build_routes
from modhost.web.routing.slots import Slots
from modhost.web.routing.static_files import version_of

__all__ = [
    "ADMINISTRATION",
    "Authenticator",
    "Body",
    "Branding",
    "Declaration",
    "Endpoints",
    "FieldError",
    "Form",
    "Handler",
    "Header",
    "HttpProblem",
    "Menu",
    "MenuEntry",
    "MiddlewareStack",
    "ModuleWeb",
    "OpenApi",
    "Page",
    "Pages",
    "Query",
    "Reply",
    "RequestCounts",
    "Shell",
    "Slots",
    "UnusableLogo",
    "base_path",
    "build_app",
    "build_routes",
    "check_web",
    "current_principal",
    "host_web",
    "media_type",
    "principal_now",
    "read_json",
    "request_scope",
    "template_environment",
    "version_of",
]
