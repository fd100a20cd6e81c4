"""A first project: small, whole, and running, on orders it makes up from a seed."""

from __future__ import annotations

import csv
import io
import random
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from pathlib import Path

from drivetrain.core.errors import UsageError

SEED = 7
ORDERS = 6_000
CUSTOMERS = 400
DAYS = 180
CATEGORIES = {"books": 0.05, "shoes": 0.30, "dresses": 0.38, "lamps": 0.12, "phones": 0.10}
START = datetime(2026, 1, 1, tzinfo=UTC)


def scaffold(folder: Path) -> list[Path]:
    """Writes a project's files where they are not there yet.

    Returns:
        The files made.

    Raises:
        UsageError: The folder is a file, or holds a project already.
    """
    if folder.is_file():
        raise UsageError(f"{folder} is a file", expected="a folder, or a name for a new one")
    if (folder / "project.py").exists():
        raise UsageError(f"{folder} holds a project already", do="Choose another folder; nothing was changed")
    templates = files("drivetrain.cli") / "templates"
    contents = {
        "project.py": (templates / "project.py.txt").read_text("utf-8"),
        "drivetrain.toml": (templates / "drivetrain.toml.txt").read_text("utf-8"),
        ".gitignore": ".drivetrain/\n__pycache__/\n",
        "raw/orders.csv": _orders(),
    }
    made = []
    for name, text in contents.items():
        path = folder / name
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, "utf-8")
            made.append(path)
    return made


def _orders() -> str:
    """Orders of a made-up shop; some customers send more back than others, and some things come back more often."""
    dice = random.Random(SEED)  # noqa: S311 - an example, not a secret
    habits = [dice.betavariate(1.2, 4.0) for _ in range(CUSTOMERS)]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["order_id", "customer", "ordered", "decided", "category", "amount", "returned"])
    moments = sorted(dice.uniform(0, DAYS * 86_400) for _ in range(ORDERS))
    for number, seconds in enumerate(moments):
        customer = min(int(dice.expovariate(1 / 80)), CUSTOMERS - 1)
        category = dice.choice(list(CATEGORIES))
        amount = round(dice.lognormvariate(3.6, 0.6), 2)
        ordered = START + timedelta(seconds=int(seconds))
        decided = ordered + timedelta(days=14)
        chance = min(0.95, 0.7 * habits[customer] + CATEGORIES[category] + (0.1 if amount > 80 else 0.0))
        row = [f"o{number:05d}", f"c{customer:03d}", ordered.isoformat(), decided.isoformat(), category, amount]
        writer.writerow([*row, int(dice.random() < chance)])
    return text.getvalue()
