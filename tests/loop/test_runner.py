from __future__ import annotations

import os
import subprocess
import sys
import textwrap
import time

import pytest

from drivetrain.core.errors import StoreError, TrainingError
from drivetrain.core.hashing import digest
from drivetrain.core.records import Step
from drivetrain.loop.node import Node
from drivetrain.loop.plan import plan_nodes
from drivetrain.loop.runner import LEASE, run_nodes, take_lease
from drivetrain.store.memory import MemoryCatalog, MemoryLeases

ENVIRONMENT = digest("test")


class World:
    """Three steps in a row, whose inputs and behaviour a test can change."""

    def __init__(self) -> None:
        self.catalog, self.leases = MemoryCatalog(), MemoryLeases()
        self.files = {"a": "1"}
        self.ran: list[str] = []
        self.failing: set[str] = set()
        self.code = {"a": "a1", "b": "b1", "c": "c1"}
        self.output = {
            name: lambda name=name: f"table:{name}@{digest(self.code[name] + self.files.get(name, ''))}"
            for name in "abc"
        }

    def nodes(self) -> dict[str, Node]:
        def node(name: str, needs: tuple[str, ...]) -> Node:
            def action(inputs, _progress):
                assert set(inputs) == set(needs)
                self.ran.append(name)
                if name in self.failing:
                    raise TrainingError(f"{name} can't")
                return {"out": self.output[name]()}

            return Node(
                name=name,
                group="data",
                words=name,
                code=self.code[name],
                parameters="",
                needs=needs,
                outside=lambda: {"files": self.files[name]} if name in self.files else {},
                action=action,
            )

        return {"c": node("c", ("b",)), "a": node("a", ()), "b": node("b", ("a",))}

    def run(self):
        self.ran.clear()
        return run_nodes(self.nodes(), catalog=self.catalog, leases=self.leases, environment=ENVIRONMENT)

    def plan(self) -> dict[str, str]:
        planned = plan_nodes(self.nodes(), catalog=self.catalog, environment=ENVIRONMENT)
        return {step.name: step.state for step in planned}


def test_each_step_runs_once_in_order_and_then_never_again():
    world = World()
    assert [step.name for step in world.run()] == ["a", "b", "c"]
    assert world.ran == ["a", "b", "c"]
    again = world.run()
    assert world.ran == []
    assert all(step.cached for step in again)
    assert world.plan() == {"a": "done", "b": "done", "c": "done"}


def test_a_change_runs_only_what_depends_on_it_and_the_plan_said_so():
    world = World()
    world.run()
    world.code["b"] = "b2"
    assert world.plan() == {"a": "done", "b": "run", "c": "depends"}
    world.run()
    assert world.ran == ["b", "c"]


def test_a_step_that_comes_to_the_same_result_stops_the_change_there():
    world = World()
    world.run()
    world.files["a"] = "2"
    world.output["a"] = lambda: "table:a@" + digest("a11")
    assert world.plan() == {"a": "run", "b": "depends", "c": "depends"}
    world.run()
    assert world.ran == ["a"]


def test_going_back_to_an_old_definition_runs_nothing():
    world = World()
    world.run()
    world.code["c"] = "c2"
    world.run()
    world.code["c"] = "c1"
    assert world.plan()["c"] == "done"
    world.run()
    assert world.ran == []


def test_a_failed_step_is_on_record_with_its_reason_and_runs_again():
    world = World()
    world.failing.add("b")
    with pytest.raises(TrainingError, match="b can't"):
        world.run()
    assert world.catalog.find(Step, "a")[0].status == "done"
    failed = world.catalog.find(Step, "b")[0]
    assert (failed.status, failed.error) == ("failed", "b can't.")
    planned = plan_nodes(world.nodes(), catalog=world.catalog, environment=ENVIRONMENT)
    assert {step.name: step.why for step in planned}["b"] == "it failed: b can't."
    world.failing.clear()
    world.run()
    assert world.ran == ["b", "c"]


def test_the_plan_says_why():
    world = World()
    assert all(
        "never run" in step.why
        for step in plan_nodes(world.nodes(), catalog=world.catalog, environment=ENVIRONMENT)[:1]
    )
    world.run()
    world.files["a"] = "2"
    planned = plan_nodes(world.nodes(), catalog=world.catalog, environment=ENVIRONMENT)
    assert planned[0].why == "new from files"
    elsewhere = plan_nodes(world.nodes(), catalog=world.catalog, environment=digest("other"))
    assert "the environment changed" in elsewhere[0].why


def test_lineage_joins_inputs_step_and_outputs():
    world = World()
    steps = {step.name: step for step in world.run()}
    step = world.catalog.find(Step, "b")[0]
    assert [link.source for link in world.catalog.links(target=step.ref)] == [steps["a"].outputs["out"]]
    assert [link.target for link in world.catalog.links(source=step.ref)] == [steps["b"].outputs["out"]]


def test_two_runs_at_once_are_one_after_the_other():
    world = World()
    lease = world.leases.acquire(LEASE, "somebody else", 3600)
    assert lease is not None
    with pytest.raises(StoreError, match="another process is working"):
        take_lease(world.leases, LEASE, seconds=0.1)
    world.leases.release(lease)
    assert len(world.run()) == 3


CHILD = """
    import sys, time
    from pathlib import Path
    from drivetrain.core.hashing import digest
    from drivetrain.core.settings import StoreSettings
    from drivetrain.loop.node import Node
    from drivetrain.loop.runner import run_nodes
    from drivetrain.store.bundle import open_store

    folder = Path(sys.argv[1])
    hang = sys.argv[2] == "hang"

    def action(name):
        def work(_inputs, _progress):
            with (folder / "ran").open("a") as log:
                log.write(name)
            if hang and name == "b":
                (folder / "hanging").touch()
                time.sleep(600)
            return {"out": f"table:{name}@1"}
        return work

    def node(name, needs):
        return Node(name=name, group="data", words=name, code="1", parameters="", needs=needs, action=action(name))

    nodes = {"a": node("a", ()), "b": node("b", ("a",)), "c": node("c", ("b",))}
    store = open_store(StoreSettings(), folder)
    steps = run_nodes(nodes, catalog=store.catalog, leases=store.leases, environment=digest("test"))
    print("".join(step.name for step in steps if not step.cached))
"""


@pytest.mark.slow
def test_killed_in_the_middle_of_a_step_the_next_run_carries_on(tmp_path):
    script = tmp_path / "child.py"
    script.write_text(textwrap.dedent(CHILD))
    command = [sys.executable, str(script), str(tmp_path)]
    child = subprocess.Popen([*command, "hang"], env=os.environ)
    while not (tmp_path / "hanging").exists():
        assert child.poll() is None
        time.sleep(0.02)
    child.kill()
    child.wait()
    assert (tmp_path / "ran").read_text() == "ab"
    second = subprocess.run([*command, "go"], check=True, capture_output=True, text=True)
    assert second.stdout.strip() == "bc"
    assert (tmp_path / "ran").read_text() == "abbc"
