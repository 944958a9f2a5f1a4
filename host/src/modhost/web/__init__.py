"""The web side of the host: what modules serve, and the application that serves it."""

from modhost.web.app import build_app
from modhost.web.binding import Body, Form, Handler, Query
from modhost.web.checks import check_web
from modhost.web.context import (
    Authenticator,
    current_principal,
    principal_now,
    request_scope,
)
from modhost.web.declarations import Declaration
from modhost.web.endpoints import Endpoints
from modhost.web.host_pages import host_web
from modhost.web.menu import Menu, MenuEntry
from modhost.web.middleware import MiddlewareStack
from modhost.web.modules import ModuleWeb
from modhost.web.openapi import OpenApi
from modhost.web.pages import Page, Pages
from modhost.web.problems import FieldError, HttpProblem
from modhost.web.reading import media_type, read_json
from modhost.web.replies import Reply
from modhost.web.routes import build_routes
from modhost.web.shell import Shell
from modhost.web.templating import template_environment

__all__ = [
    "Authenticator",
    "Body",
    "Declaration",
    "Endpoints",
    "FieldError",
    "Form",
    "Handler",
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
    "Shell",
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
]
