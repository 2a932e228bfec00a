"""The settings of deploy/compose.yaml, as Compose itself reads them; that needs no running Docker."""

import os
import shutil
import subprocess

import pytest
import yaml

from support import ROOT
from support.ports import free_port

COMPOSE = ROOT / "deploy" / "compose.yaml"
INSTANCES = ("holdfast", "holdfast-second")
TOKENS = {"HOLDFAST_JWT_JWKS_URL": "https://id.shop.example/jwks", "HOLDFAST_JWT_ISSUER": "https://id.shop.example",
          "HOLDFAST_JWT_AUDIENCE": "holdfast", "HOLDFAST_JWT_SECRET_FILE": ""}

pytestmark = pytest.mark.skipif(not shutil.which("docker-compose"), reason="docker-compose is not installed")


def told(*options, **variables):
    """The environment of every service, by its name."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("HOLDFAST_")}
    done = subprocess.run(["docker-compose", *map(str, options), "-f", COMPOSE, "--profile", "scale", "config"],
                          env={**environment, **variables}, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return {name: {variable: value for variable, value in service.get("environment", {}).items() if value is not None}
            for name, service in yaml.safe_load(done.stdout)["services"].items()}


def test_by_itself_it_uses_development_tokens_and_sets_nothing_else():
    for name in INSTANCES:
        assert set(told()[name]) == {
            "HOLDFAST_ADMIN_LISTEN", "HOLDFAST_DATABASE_URL_FILE", "HOLDFAST_JWT_DEV_ALLOW_REMOTE", "HOLDFAST_JWT_SECRET_FILE",
            "HOLDFAST_PICKUP_SECRET_FILE", "HOLDFAST_SMTP_URL", "HOLDFAST_WEBHOOK_SEALING_KEY_FILE"}


def test_a_setting_of_the_environment_reaches_all_that_run_the_program():
    services = told(HOLDFAST_RATE_LIMIT="600", HOLDFAST_SCHEMA="market")
    for name in (*INSTANCES, "migrate"):
        assert (services[name]["HOLDFAST_RATE_LIMIT"], services[name]["HOLDFAST_SCHEMA"]) == ("600", "market")


def test_the_example_names_an_identity_provider_and_no_secret_beside_it():
    services = told("--env-file", ROOT / "deploy" / "compose.env")
    for name in INSTANCES:
        assert {variable: services[name][variable] for variable in TOKENS} == TOKENS


def test_a_secret_file_without_a_name_is_none(services):
    """The settings from Compose let it serve; two sources of keys would not."""
    service = services(wait=False, jwt_secret=None, jwt_secret_file="", jwt_dev_allow_remote=1,
                       jwt_jwks_url=f"http://127.0.0.1:{free_port()}/jwks")
    assert service.probe("/livez") == 200
