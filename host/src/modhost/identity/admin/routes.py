"""Which of these pages are where, and in the navigation."""

from modhost.identity.admin.account import map_account_pages
from modhost.identity.admin.roles import PATH as ROLES
from modhost.identity.admin.roles import map_role_pages
from modhost.identity.admin.tokens import PATH as TOKENS
from modhost.identity.admin.tokens import map_token_pages
from modhost.identity.admin.user_sessions import map_user_session_pages
from modhost.identity.admin.users import PATH as USERS
from modhost.identity.admin.users import map_user_pages
from modhost.identity.permissions import MANAGE_TOKENS, MANAGE_USERS
from modhost.web import Menu, Pages


def map_admin_pages(pages: Pages) -> None:
    """Map the pages of users, roles, tokens and of one's own account."""
    map_account_pages(pages)
    map_user_pages(pages)
    map_user_session_pages(pages)
    map_role_pages(pages)
    map_token_pages(pages)


def add_to_menu(menu: Menu) -> None:
    """Show the pages to those who may open them."""
    menu.add("Users", USERS, MANAGE_USERS, "Who may log in, and with which roles.")
    menu.add("Roles", ROLES, MANAGE_USERS, "Sets of permissions, under a name each.")
    menu.add("Tokens", TOKENS, MANAGE_TOKENS, "How programs get to the API.")
