"""What private figures may tell of a table is counted, also by two processes at once, and never more than there is."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from tests.loop.shop import copy_shop

from drivetrain.core.errors import RefusedError, UnknownName, UsageError
from drivetrain.core.records import Access, PrivacyBudget
from drivetrain.data.privacy.aggregate import Ask
from drivetrain.loop.project import Project
from drivetrain.testing.extra import need_extra

need_extra("opendp")
SPENDER = """
import sys
from drivetrain.core.errors import RefusedError
from drivetrain.data.privacy.aggregate import Ask
from drivetrain.loop.privacy.spending import spend
from drivetrain.loop.project import Project
project = Project.load(sys.argv[1])
done = 0
for _ in range(12):
    try:
        spend(project.store.catalog, project.settings.privacy, "orders", Ask(what="count", epsilon=0.1))
        done += 1
    except RefusedError:
        pass
print(done)
"""


@pytest.fixture
def shop(made_shop, tmp_path):
    return copy_shop(made_shop, tmp_path / "shop")


def test_two_at_once_spend_what_there_is_and_no_more(shop):
    ran = [subprocess.Popen([sys.executable, "-c", SPENDER, str(shop)], stdout=subprocess.PIPE) for _ in range(2)]
    done = [int(process.communicate(timeout=120)[0]) for process in ran]
    assert sum(done) == 10
    project = Project.load(shop)
    budget = project.store.catalog.get(PrivacyBudget, "orders")
    assert budget.figures == 10
    assert budget.epsilon == pytest.approx(1.0)
    assert project.audit(verify=True).whole
    with pytest.raises(RefusedError, match="the privacy of table 'orders' is spent: 10 figures"):
        project.privacy.aggregate("orders", Ask(what="count", epsilon=0.1))


def test_a_figure_is_near_and_on_record(shop):
    project = Project.load(shop)
    rows = project.store.tables.read("orders")
    told = project.privacy.aggregate(
        "orders", Ask(what="mean", column="amount", low=0.0, high=500.0, per="customer", most=40, epsilon=0.9)
    )
    assert told.values[0] == pytest.approx(rows["amount"].mean(), abs=60)
    assert "rows beyond 40 of one customer" in told.left_out
    [read] = project.store.catalog.find(Access, "orders")
    assert (read.what, read.columns) == ("mean, epsilon 0.9, delta 0", ("amount", "customer"))
    with pytest.raises(RefusedError, match=r"epsilon 0.9 spent, 0.2 asked for; expected 1 in all"):
        project.privacy.aggregate("orders", Ask(what="count", epsilon=0.2))
    with pytest.raises(UnknownName, match="there is no table 'shoes'"):
        project.privacy.aggregate("shoes", Ask(what="count", epsilon=0.01))
    with pytest.raises(UsageError, match="a sum is of numbers"):
        project.privacy.aggregate("orders", Ask(what="sum", column="category", low=0.0, high=1.0, epsilon=0.05))
    assert project.store.catalog.get(PrivacyBudget, "orders").figures == 1


def test_copies_of_the_same_subjects_have_no_budget_of_their_own(shop):
    project = Project.load(shop)
    others = [name for name in project.store.tables.names() if name not in project.sources]
    assert "training/returned" in others
    orders = project.store.tables.read("orders")
    project.store.tables.append("quarantine/orders", orders.head(5), transaction=("test", 1), note="")
    for table in [*others, "quarantine/orders"]:
        with pytest.raises(RefusedError, match="has no privacy to spend of its own"):
            project.privacy.aggregate(table, Ask(what="count", epsilon=0.1))
    del project.sources["orders"]
    with pytest.raises(RefusedError, match="one that is not declared"):
        project.privacy.aggregate("orders", Ask(what="count", epsilon=0.1))
    assert project.store.catalog.find(PrivacyBudget) == []


def test_the_command_says_figures_with_their_noise(shop):
    words = [sys.executable, "-m", "drivetrain", "privacy", "aggregate", "orders", "--project", str(shop)]
    asked = [*words, "--histogram", "category", "--among", "lamps,dresses", "--per-row", "--epsilon", "0.5", "--json"]
    told = json.loads(subprocess.run(asked, check=True, capture_output=True).stdout)
    assert told["labels"] == ["lamps", "dresses", "other"]
    refused = subprocess.run(
        [*words, "--count", "--per-row", "--epsilon", "0.7"], check=False, capture_output=True, text=True
    )
    assert refused.returncode == 1
    assert "is spent" in refused.stderr
    both = subprocess.run([*words, "--count", "--sum", "amount", "--epsilon", "0.1"], check=False, capture_output=True)
    assert both.returncode == 2
    whose = subprocess.run([*words, "--count", "--epsilon", "0.1"], check=False, capture_output=True, text=True)
    assert whose.returncode == 2
    assert "whose rows are whose" in whose.stderr
    rows = subprocess.run(
        [*words, "--count", "--per-row", "--epsilon", "0.1"], check=True, capture_output=True, text=True
    )
    assert "Each row is taken for another subject" in " ".join(rows.stdout.split())
    mine = [*words, "--count", "--per", "customer", "--most", "9", "--epsilon", "0.1"]
    assert "Each row" not in subprocess.run(mine, check=True, capture_output=True, text=True).stdout
