"""What a host consists of, in words of its own."""

import json

from cli.command_line import CommandLine


def test_services_are_reported_with_the_class_that_implements_them(
    command_line: CommandLine,
) -> None:
    run = command_line.run("services", "--json")
    reported = {each["contract"]: each["implementation"] for each in json.loads(run.stdout)}
    assert reported["modhost.database.database.Database"] == "Database"
    assert reported["modhost.clock.Clock"] == "SystemClock"
    assert reported["modhost.audit.contracts.AuditLog"] == "DatabaseAudit"
    assert not [name for name in reported.values() if "<" in name]


def test_the_configuration_is_reported_as_it_is_written_with_its_origin(
    command_line: CommandLine,
) -> None:
    rows = {line.split("  ")[0]: line for line in command_line.run("config").stdout.splitlines()}
    assert rows["[modules.background_jobs] retention"].split()[-2:] == ["7d", "default"]
    assert rows["[host] behind_tls"].split()[-2:] == ["false", "default"]
    assert rows["[host] environment"].split()[-2:] == ["development", str(command_line.config)]


def test_every_option_is_described(command_line: CommandLine) -> None:
    rows = json.loads(command_line.run("config", "--describe", "--json").stdout)
    described = {each["key"]: each["description"] for each in rows}
    assert described["[host] bind"].startswith("Address and port to listen on")
    assert described["[host.modules] disabled"].startswith("Names of installed modules")
    assert described["[modules.background_jobs] retention"].startswith("How long finished jobs")
    assert all(described.values())
    assert "0 keeps them forever" in command_line.run("config", "--describe").stdout
