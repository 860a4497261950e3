"""Says how many tables it can read, and as whom, whatever becomes of its credentials.

The same order as in ../shared/resolve-login.ts: a dynamic login from Vault, the static one that Vault keeps, the
environment, the defaults. A lease is renewed after three quarters of its time, and another login is read when Vault grants
less than asked for. No secret is printed.

    pip install --require-hashes -r requirements.txt
    VAULT_ADDR=... VAULT_TOKEN=... python3 worker.py
"""

import os
import sys
import time

import hvac
import psycopg
import requests
from psycopg.conninfo import conninfo_to_dict

ENGINE = os.getenv("ENGINE", "database")
KEY_VALUE = os.getenv("KEY_VALUE", "secret")
RENEW_AT = 0.75
LOOK_AGAIN_SECONDS = float(os.getenv("LOOK_AGAIN_SECONDS", "60"))
DEFAULTS = {"host": "localhost", "port": "5432", "dbname": "delphi", "user": "delphi"}

READABLE = """SELECT count(*) FROM pg_tables WHERE schemaname = 'public'
    AND has_table_privilege(format('%I.%I', schemaname, tablename), 'SELECT')"""

# Vault cannot be reached, denies it, has nothing there, or cannot answer now. Any other error ends the worker.
UNAVAILABLE = (
    requests.ConnectionError,
    requests.Timeout,
    hvac.exceptions.Forbidden,
    hvac.exceptions.InvalidPath,
    hvac.exceptions.RateLimitExceeded,
    hvac.exceptions.InternalServerError,
    hvac.exceptions.BadGateway,
    hvac.exceptions.VaultDown,
)


class NothingThere(Exception):
    """A source has nothing to give."""


def tls():
    """libpq would take a connection without TLS, and any certificate."""
    mode = os.getenv("PGSSLMODE", "verify-full")
    if mode != "verify-full":
        return {"sslmode": mode}
    return {"sslmode": mode, "sslrootcert": os.getenv("PGSSLROOTCERT", "system")}


class Logins:
    def __init__(self):
        address, token = os.getenv("VAULT_ADDR"), os.getenv("VAULT_TOKEN")
        self.vault = hvac.Client(url=address, token=token, timeout=10) if address and token else None
        self.steps = {
            "dynamic": self.dynamic,
            "static": self.static,
            "environment": self.environment,
            "defaults": lambda: (DEFAULTS, None),
        }

    def take(self):
        """Logs in by the first source whose login PostgreSQL accepts."""
        for source, step in self.steps.items():
            try:
                login, lease = step()
                connection = psycopg.connect(**(tls() | login), autocommit=True)
            except (NothingThere, *UNAVAILABLE) as error:
                # Its class alone: the message of a failed connection is long, and names more than one needs.
                print(f"passed over: {source}: {str(error) if isinstance(error, NothingThere) else type(error).__name__}")
            except psycopg.OperationalError as error:
                if "authentication failed" not in str(error) and "no password supplied" not in str(error):
                    raise
                print(f"passed over: {source}: PostgreSQL refuses the login")
            else:
                print(f"login from: {source}: {login['user']}", flush=True)
                return connection, lease
        sys.exit("There is no login.")

    def dynamic(self):
        answer = self.read(f"{ENGINE}/creds/delphi-readonly")
        user, password = answer["data"]["username"], answer["data"]["password"]
        return self.place() | {"user": user, "password": password}, Lease(self.vault, answer)

    def static(self):
        user = self.kept("config").get("username")
        password = self.kept("password").get("password")
        if not user or not password:
            raise NothingThere("no static login is kept")
        return self.place() | {"user": user, "password": password}, None

    def environment(self):
        if os.getenv("PG_DSN"):
            return conninfo_to_dict(os.environ["PG_DSN"]), None
        if not os.getenv("DELPHI_DB_USER"):
            raise NothingThere("neither PG_DSN nor DELPHI_DB_USER is set")
        login = {"user": os.environ["DELPHI_DB_USER"], "password": os.getenv("DELPHI_DB_PASSWORD")}
        return self.place_of_environment() | login, None

    def place(self):
        try:
            config = self.kept("config")
        except (NothingThere, *UNAVAILABLE):
            return self.place_of_environment()
        return {"host": config["host"], "port": config["port"], "dbname": config["database"]}

    def place_of_environment(self):
        return {
            "host": os.getenv("DELPHI_DB_HOST", DEFAULTS["host"]),
            "port": os.getenv("DELPHI_DB_PORT", DEFAULTS["port"]),
            "dbname": os.getenv("DELPHI_DB_NAME", DEFAULTS["dbname"]),
        }

    def kept(self, name):
        return self.read(f"{KEY_VALUE}/data/delphi/database/{name}")["data"]["data"]

    def read(self, path):
        if self.vault is None:
            raise NothingThere("no Vault is configured")
        answer = self.vault.read(path)
        if answer is None:
            raise NothingThere(f"there is nothing at {path}")
        return answer


class Lease:
    """Keeps a dynamic login alive."""

    def __init__(self, vault, answer):
        self.vault = vault
        self.id = answer["lease_id"]
        self.seconds = answer["lease_duration"]
        self.due = time.monotonic() + self.seconds * RENEW_AT

    def goes_on(self):
        """Renews it when that is due. False if another login is needed."""
        if time.monotonic() < self.due:
            return True
        try:
            self.vault.auth.token.renew_self()
            granted = self.vault.sys.renew_lease(self.id, increment=self.seconds)["lease_duration"]
        except (hvac.exceptions.InvalidRequest, *UNAVAILABLE):
            return False
        if granted < self.seconds:
            return False
        self.due = time.monotonic() + granted * RENEW_AT
        print(f"renewed for {granted} s", flush=True)
        return True


def main():
    logins = Logins()
    connection, lease = logins.take()
    look_again = time.monotonic() + LOOK_AGAIN_SECONDS
    while True:
        if not lease.goes_on() if lease else time.monotonic() > look_again:
            # The new login is tried before the old session is given up.
            last, (connection, lease) = connection, logins.take()
            last.close()
            look_again = time.monotonic() + LOOK_AGAIN_SECONDS
        try:
            tables, user = connection.execute(READABLE).fetchone()[0], connection.info.user
            print(f"{tables} tables, read by {user}", flush=True)
        except psycopg.OperationalError:
            # Revoked: the session was ended.
            connection.close()
            connection, lease = logins.take()
        time.sleep(float(os.getenv("PAUSE_SECONDS", "1")))


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        pass
