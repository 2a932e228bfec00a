"""What the api, commands, race and fault suites share: a PostgreSQL, the service, clients that distrust it."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
