"""``manage.py prepare_database``: the two roles and the database on a server of your own."""

import argparse
from typing import Any

import environ
import psycopg2
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from psycopg2 import sql


class Command(BaseCommand):
    """Create, on the server of DATABASE_URL, what migrations expect; safe to repeat."""

    help = "Create owner role, runtime role and database with an administrator's connection."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Take the administrator's address."""
        parser.add_argument(
            "--admin-url", required=True, help="postgres://admin:password@host:port/postgres"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Create what is missing and set the passwords of both roles."""
        if settings.EMBEDDED_DATABASE:
            raise CommandError("The embedded database prepares itself; set DATABASE_URL first.")
        owner, runtime = settings.DATABASE_ROLES["owner"], settings.DATABASE_ROLES["runtime"]
        if owner["USER"] == runtime["USER"]:
            raise CommandError("Set OWNER_DATABASE_URL to a role other than that of DATABASE_URL.")
        connection = self._connect(options["admin_url"])
        try:
            with connection.cursor() as cursor:
                for role in (owner, runtime):
                    self._ensure_role(cursor, role["USER"], role["PASSWORD"])
                self._ensure_database(cursor, runtime["NAME"], owner["USER"])
        finally:
            connection.close()
        self.stdout.write("Ready; continue with 'manage.py migrate'.")

    def _connect(self, url: str) -> Any:
        found = environ.Env.db_url_config(url)
        try:
            connection = psycopg2.connect(
                host=found["HOST"] or None,
                port=found["PORT"] or None,
                user=found["USER"],
                password=found["PASSWORD"],
                dbname=found["NAME"] or "postgres",
            )
        except psycopg2.OperationalError as error:
            raise CommandError(f"The administrator cannot connect: {error}".strip()) from error
        connection.autocommit = True
        return connection

    def _ensure_role(self, cursor: Any, name: str, password: str) -> None:
        cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [name])
        verb = sql.SQL("ALTER" if cursor.fetchone() else "CREATE")
        command = sql.SQL("{} ROLE {} LOGIN PASSWORD {}")
        cursor.execute(command.format(verb, sql.Identifier(name), sql.Literal(password)))

    def _ensure_database(self, cursor: Any, name: str, owner: str) -> None:
        cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name])
        if cursor.fetchone() is None:
            # An administrator that is no superuser must be a member to hand over ownership.
            cursor.execute(sql.SQL("GRANT {} TO CURRENT_USER").format(sql.Identifier(owner)))
            command = sql.SQL("CREATE DATABASE {} OWNER {} ENCODING 'UTF8' TEMPLATE template0")
            cursor.execute(command.format(sql.Identifier(name), sql.Identifier(owner)))
