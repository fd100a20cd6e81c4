"""The run's page tells which features were kept, why the others were not, and what categories read as."""

from __future__ import annotations

from msgspec.structs import replace

from drivetrain.core.records import Run
from drivetrain.core.records.run import Encoding
from drivetrain.core.records.selection import JudgedFeature, Selection


def judged(name, value, chance, *, kept, why):
    return JudgedFeature(feature=name, kept=kept, value=value, chance=chance, why=why)


def test_the_run_s_page_shows_every_feature_and_why(desk, call):
    run = next(one for one in desk.store.catalog.find(Run) if one.status == "done" and one.tracked is None)
    selection = Selection(
        by="null_importance",
        level=0.05,
        measure="standard deviations above chance",
        fits=42,
        rows=5_696,
        features=(
            judged("plane.noise", 0.31, 0.98, kept=False, why="no more than chance"),
            judged("plane.delay", 52.77, 0.024, kept=True, why="stands out from chance"),
        ),
    )
    told = Encoding(
        feature="flight.origin", by="time", smoothing=20, prior=0.2643, categories=400, low=0.117, high=0.571, rows=6848
    )
    desk.store.catalog.commit(replace(run, selection=selection, encodings=(told,)))
    page = " ".join(call(f"/runs/{run.run_id}").text.split())
    assert "1 of 2 features kept, chosen by null importance from 5,696 rows, with 42 fits" in page
    assert page.index("stands out from chance") < page.index("no more than chance"), "what was kept comes first"
    for words in (
        "kept, stands out from chance",
        "left out, no more than chance",
        "Chance gives as much",
        "Categories read as numbers",
        "400",
    ):
        assert words in page
    desk.store.catalog.commit(run)
    assert "Which features it reads" not in call(f"/runs/{run.run_id}").text
