"""Users, roles and tokens are managed on pages, by plain forms."""

import httpx2
import pytest

from modhost import Principal
from modhost.identity import TokenService
from modhost.testing import RunningHost
from pages.html import Html
from security.support import PASSWORD, add_role, add_user, browser, user_id

pytestmark = pytest.mark.anyio


async def test_a_user_is_added_and_can_log_in(host: RunningHost, anna: httpx2.AsyncClient) -> None:
    form = {"name": "vera", "password": PASSWORD, "role": ["Viewer"]}
    answer = await anna.post("/admin/users", data=form)
    assert answer.status_code == 303
    page = await anna.get(answer.headers["location"])
    assert "It has been added." in page.text
    assert "Withdraw the role Viewer" in page.text
    assert 'href="/admin/users/' in (await anna.get("/admin/users")).text
    vera = await browser(host, "vera")
    assert (await vera.get("/admin/jobs")).status_code == 200


async def test_a_refusal_is_shown_on_the_page_with_what_was_typed(
    anna: httpx2.AsyncClient,
) -> None:
    answer = await anna.post("/admin/users", data={"name": "vera", "password": "seven77"})
    assert answer.status_code == 422
    assert "use at least 8" in answer.text
    assert 'value="vera"' in answer.text
    assert "seven77" not in answer.text


async def test_a_user_is_disabled_enabled_and_given_roles_and_a_password(
    host: RunningHost, anna: httpx2.AsyncClient
) -> None:
    await add_user(host, "vera")
    path = f"/admin/users/{await user_id(host, 'vera')}"
    vera = await browser(host, "vera")
    for action, form in {
        "disable": {},
        "enable": {},
        "assign": {"role": "Viewer"},
        "password": {"password": "another password"},
    }.items():
        answer = await anna.post(f"{path}/{action}", data=form)
        assert answer.status_code == 303, answer.text
        assert 'role="status"' in (await anna.get(answer.headers["location"])).text
    assert (await vera.get("/account")).status_code == 303
    form = {"name": "vera", "password": "another password"}
    assert (await vera.post("/login", data=form)).status_code == 303
    assert (await vera.get("/admin/jobs")).status_code == 200
    await anna.post(f"{path}/withdraw", data={"role": "Viewer"})
    assert (await vera.get("/admin/jobs")).status_code == 403


async def test_a_role_is_made_and_changed(host: RunningHost, anna: httpx2.AsyncClient) -> None:
    form = {"name": "Clerk", "permission": ["Reports.View", "Reports.Generate"]}
    assert (await anna.post("/admin/roles", data=form)).status_code == 303
    await anna.post("/admin/roles/revoke", data={"role": "Clerk", "permission": "Reports.View"})
    grant = {"role": "Clerk", "permission": "BackgroundJobs.ViewJobs"}
    await anna.post("/admin/roles/grant", data=grant)
    page = (await anna.get("/admin/roles")).text
    assert "Revoke BackgroundJobs.ViewJobs from Clerk" in page
    assert "Revoke Reports.View from Clerk" not in page
    assert "Remove the role Admin" not in page
    answer = await anna.post("/admin/roles/remove", data={"role": "Viewer"})
    assert (answer.status_code, "stays" in answer.text) == (422, True)
    await anna.post("/admin/roles/remove", data={"role": "Clerk"})
    assert "Clerk" not in (await anna.get("/admin/roles")).text


async def test_a_token_is_shown_once_works_and_is_revoked(
    host: RunningHost, anna: httpx2.AsyncClient
) -> None:
    form = {"name": "ci", "permission": ["Reports.View"], "expires": "30d"}
    page = await anna.post("/admin/tokens", data=form)
    assert page.status_code == 200
    assert page.headers["cache-control"] == "no-store"
    secret = page.text.partition('id="secret">')[2].partition("<")[0]
    assert secret.startswith("mh_")
    program = await host.client()
    bearer = {"Authorization": f"Bearer {secret}"}
    assert (await program.get("/reports", headers=bearer)).status_code == 200
    listed = (await anna.get("/admin/tokens")).text
    assert secret not in listed
    path = listed.partition('href="/admin/tokens/')[2].partition('"')[0]
    asked = await anna.get(f"/admin/tokens/{path}")
    assert "Revoke ci? Programs that send this token are refused from now on" in asked.text
    assert f'action="/admin/tokens/{path}"' in asked.text
    assert (await program.get("/reports", headers=bearer)).status_code == 200
    assert (await anna.post(f"/admin/tokens/{path}")).status_code == 303
    assert (await program.get("/reports", headers=bearer)).status_code == 303
    assert (await anna.post(f"/admin/tokens/{path}")).status_code == 404
    assert (await anna.get(f"/admin/tokens/{path}")).status_code == 404


async def test_tokens_are_listed_with_the_names_of_who_made_them(
    host: RunningHost, anna: httpx2.AsyncClient
) -> None:
    await anna.post("/admin/tokens", data={"name": "ci", "permission": "*"})
    async with host.scope() as scope:
        tokens = await scope.get(TokenService)
        ci = next(each for each in await tokens.list() if each.name == "ci")
        maker = Principal(f"token:{ci.id}", "ci", grants=frozenset({"*"}))
        await tokens.create("deploy", ["Reports.View"], creator=maker)
    page = Html((await anna.get("/admin/tokens")).text)
    assert "by anna" in page.text
    assert "by ci" in page.text


async def test_what_cannot_be_undone_is_asked_first(
    host: RunningHost, anna: httpx2.AsyncClient
) -> None:
    await add_role(host, "Clerk", ["Reports.View"])
    await add_user(host, "vera")
    asked = Html((await anna.get("/admin/roles/remove?role=Clerk")).text)
    assert "Remove Clerk? Everybody who has this role loses what it grants" in asked.text
    assert asked.values["role"] == ["Clerk"]
    vera = f"/admin/users/{await user_id(host, 'vera')}"
    assert f"{vera}/disable" in Html((await anna.get(vera)).text).links
    asked = Html((await anna.get(f"{vera}/disable")).text)
    assert "the tokens that they have made are revoked permanently" in asked.text
    assert vera in asked.links


async def test_a_manager_is_offered_and_given_no_more_than_they_have(host: RunningHost) -> None:
    await add_role(host, "Managers", ["Identity.*", "Reports.View"])
    await add_user(host, "mara", "Managers")
    mara = await browser(host, "mara")
    page = (await mara.get("/admin/tokens")).text
    assert 'value="Reports.View"' in page
    assert "Reports.Generate" not in page
    for form in ({"permission": "Reports.Generate"}, {"permission": "*"}, {"role": "Admin"}):
        answer = await mara.post("/admin/tokens", data={"name": "ci", **form})
        assert (answer.status_code, "mara lacks" in answer.text) == (403, True)
    for form in ({"permission": "Reports.Generate"}, {"permission": "*"}):
        answer = await mara.post("/admin/roles", data={"name": "Boss", **form})
        assert (answer.status_code, "mara lacks" in answer.text) == (403, True)
    answer = await mara.post(
        "/admin/users", data={"name": "eve", "password": PASSWORD, "role": "Admin"}
    )
    assert (answer.status_code, "mara lacks" in answer.text) == (403, True)
    anna = f"/admin/users/{await user_id(host, 'anna')}"
    for action, form in {"password": {"password": PASSWORD}, "disable": {}}.items():
        answer = await mara.post(f"{anna}/{action}", data=form)
        assert (answer.status_code, "mara lacks" in answer.text) == (403, True)
    own = f"/admin/users/{await user_id(host, 'mara')}"
    answer = await mara.post(f"{own}/assign", data={"role": "Admin"})
    assert (answer.status_code, "mara lacks" in answer.text) == (403, True)


async def test_the_navigation_has_only_what_the_visitor_may_open(host: RunningHost) -> None:
    await add_user(host, "vera", "Viewer")
    links = ('href="/admin/users"', 'href="/admin/roles"', 'href="/admin/tokens"')
    admin = (await (await browser(host, "anna")).get("/admin")).text
    viewer = (await (await browser(host, "vera")).get("/admin")).text
    assert all(link in admin for link in links)
    assert not any(link in viewer for link in links)


async def test_what_is_done_on_the_pages_is_in_the_audit(
    host: RunningHost, anna: httpx2.AsyncClient
) -> None:
    await anna.post("/admin/users", data={"name": "vera", "password": PASSWORD})
    await anna.post("/admin/users", data={"name": "eve", "password": PASSWORD, "role": "Nope"})
    await anna.post("/admin/roles", data={"name": "Clerk", "permission": "Reports.View"})
    await anna.post("/admin/tokens", data={"name": "ci", "permission": "Reports.View"})
    await anna.post("/logout")
    nobody = await host.client()
    await nobody.post("/login", data={"name": "anna", "password": "wrong password"})
    await nobody.post("/login", data={"name": "hunter2 in the name", "password": "wrong"})
    reader = await host.client("Host.ViewAudit")
    items = (await reader.get("/api/audit")).json()["items"]
    token = next(
        entry
        for entry in items
        if entry["actor_name"] == "anna" and entry["action"] == "tokens.create"
    )
    assert token["detail"] == "'ci': Reports.View"
    assert token["subject"].startswith("token:0")
    listed = [
        (entry["actor_name"], entry["action"], entry["subject"], entry["outcome"])
        for entry in items
        if entry["actor_kind"] != "system"
    ]
    assert listed == [
        ("anonymous", "login", "an unknown user", "failed"),
        ("anonymous", "login", "user:anna", "failed"),
        ("anna", "logout", "user:anna", "done"),
        ("anna", "tokens.create", token["subject"], "done"),
        ("anna", "roles.add", "role:Clerk", "done"),
        ("anna", "users.add", "user:eve", "refused"),
        ("anna", "users.add", "user:vera", "done"),
        ("anna", "login", "user:anna", "done"),
    ]
