"""What the words on the pages mean, in sentences for people who are not engineers."""

from __future__ import annotations

import msgspec

from drivetrain.evaluate.metrics import METRICS


class Term(msgspec.Struct, frozen=True):
    """A word and its meaning. ``higher`` says which way is better, where the word is a metric."""

    label: str
    meaning: str
    higher: bool | None = None


TERMS: dict[str, Term] = {
    "average_precision": Term(
        "Average precision",
        "Rank all cases from most to least likely and draw a line: everything above it is warned about. This is the "
        "share of warnings that were right, averaged over every place for the line. 1 is perfect; blind guessing "
        "scores as much as the share of cases that come true.",
        higher=True,
    ),
    "roc_auc": Term(
        "ROC AUC",
        "Take one case that came true and one that did not: how often was the first ranked higher? 0.5 is a coin toss, "
        "1 is perfect.",
        higher=True,
    ),
    "log_loss": Term(
        "Log loss",
        "A penalty for being sure and wrong. Lower is better; a model that always says the average share has a log "
        "loss that a good model must beat.",
        higher=False,
    ),
    "brier": Term(
        "Brier score",
        "The average squared distance between the chance the model gave and what happened (0 or 1). Lower is better.",
        higher=False,
    ),
    "ece": Term(
        "Calibration error",
        "When the model says 30%, does it happen 30% of the time? This is the average gap. Lower is better.",
        higher=False,
    ),
    "interval": Term(
        "The range behind a figure",
        "Every figure rests on a limited number of cases, so luck plays a part. The range shows where it would fall 95 "
        "times in 100 if other days had been drawn. Whole days are drawn, because the cases of one day share their "
        "luck.",
    ),
    "reference": Term(
        "As tested",
        "The same figure when this version was evaluated, on data it had never seen, before it was allowed to answer.",
    ),
    "baseline": Term(
        "Baseline",
        "A plain rule a person could follow, such as the past rate of similar cases. A model that does not beat it is "
        "not worth running.",
    ),
    "difference": Term(
        "Difference",
        "Both models judged on the same cases, so that shared luck cancels out. Above zero means that this version is "
        "better; if the range stays above zero, luck alone hardly explains it.",
    ),
    "calibration": Term(
        "Calibration",
        "Cases are grouped by the chance the model gave. On the diagonal the model is right about its own certainty; "
        "below it, it promises more than comes true.",
    ),
    "slice": Term(
        "Slices",
        "The same figure among part of the cases, so that a group the model serves badly is not hidden by the average.",
    ),
    "bias": Term(
        "Bias in the data",
        "How many rows each group has, how many of them came true, and what is missing in them. Ranges of differences "
        "hold all together, so that the widest of many is not taken for a finding when luck alone made it. They say "
        "that the data differ, not why, and not whether that is unfair.",
    ),
    "fairness": Term(
        "Fairness of answers",
        "What the model does for each group on cases it had never seen: how often it acts, what it catches, how often "
        "it is wrong. The range of a gap holds for the widest one, whichever groups it lies between. It says that "
        "groups fare differently, not why, and not whether that is unjust.",
    ),
    "discovery": Term(
        "Groups that nobody named",
        "A search through groups of cases, for those in which the model's percentages are too low, too high, or surer "
        "than they may be. Half of the days were searched and the other half judged what was found, so that a group is "
        "not taken for a finding because many were looked at.",
    ),
    "behaviour": Term(
        "Behaviours",
        "What the model was declared to do whatever its average figures, such as not to depend on a field, or to go up "
        "with a number. Each is tried on cases it had never seen.",
    ),
    "cost": Term(
        "Cost",
        "Answers are timed on the machine that judged the version, one thread, with nothing in between: no network, no "
        "features to be read, no log. The champion is timed in turns with it.",
    ),
    "tuning": Term(
        "Tuning",
        "Many settings are tried on part of what it learns from and judged on later cases; one of them is taken. One "
        "that lags the others is given up early, unless several things are searched for at once.",
    ),
    "robustness": Term(
        "Worse inputs",
        "The same cases with something taken away, shuffled, made stale or noisy: how much worse the figure gets. A "
        "feature that others can stand in for costs little alone.",
    ),
    "dependence": Term(
        "Partial dependence",
        "The mean answer if a feature had the same value in every row. Where few rows lie near a value, the model was "
        "hardly ever asked that, and its answer there means little.",
    ),
    "importance": Term(
        "Importance",
        "How much each feature contributes to the model's decisions, as a share of the whole. It says what the model "
        "leans on, not what causes the outcome.",
    ),
    "leak": Term(
        "Leak",
        "Something a model learned from that nobody knows yet when it is asked, or that was in the rows it is judged "
        "by too. Its figures are then too good to come true.",
    ),
    "gate": Term(
        "Gate",
        "A condition a version must meet before it may answer. A version that fails one is kept, but not used.",
    ),
    "drift": Term(
        "Drift",
        "How far the values of a week are spread differently from those the model learned from. Drift alone does not "
        "mean that answers are worse; it says where to look.",
    ),
    "threshold": Term(
        "Threshold",
        "The larger of the change that was declared to matter and what weeks of the training period reach by "
        "chance and season. Only above it is a feature called drifted.",
    ),
    "psi": Term(
        "PSI",
        "Population stability index: compares how many values fall into each of the ranges seen in training. 0 means "
        "the same.",
        higher=False,
    ),
    "ks": Term(
        "KS",
        "Kolmogorov-Smirnov: the largest gap between the two running totals. 0 means the same, 1 nothing in common.",
        higher=False,
    ),
    "js": Term(
        "JS",
        "Jensen-Shannon: how well one could tell the two weeks' values apart. 0 means not at all, 1 perfectly.",
        higher=False,
    ),
    "joint": Term(
        "All features together",
        "Two features that used to move together may part while each alone looks as ever. Whole days are dealt by lot, "
        "to see what chance does.",
    ),
    "concept": Term(
        "Errors, one by one",
        "As outcomes come, each answer's error is taken in its turn, and a detector says when their mean rose. Each "
        "outcome counts once; another version begins anew.",
    ),
    "words": Term(
        "Words",
        "How differently texts are worded: Jensen-Shannon's distance between the shares of frequent words, all others "
        "being one. 0 means the same.",
        higher=False,
    ),
    "mmd": Term(
        "MMD",
        "Maximum mean discrepancy: how far from those of training the texts lie, as the model reads them. 0 means in "
        "the same places.",
        higher=False,
    ),
    "estimated": Term(
        "Estimated",
        "What the measure should be, judging by the answers alone: what such answers turned out to mean when the "
        "version was tested, or how far off it was on cases like these. It can't see that outcomes follow otherwise.",
    ),
    "maturity": Term(
        "How complete outcomes are",
        "The share of outcomes that are known after a given time, with cases too young to tell left out. The measure "
        "on early outcomes may not be that on all.",
    ),
    "fairness_window": Term(
        "Protected groups",
        "Whether the model says yes to one group more often than to another, and is right about each as often. What "
        "was said is known at once; whether it was right, once outcomes are known. All ranges hold together.",
    ),
    "segments": Term(
        "Segments",
        "The measure among the cases that share a value, such as one airline. The mark is what it was in the same "
        "segment when the version was tested; all ranges hold together.",
    ),
    "worth": Term(
        "What answers are worth",
        "The project says what an answer brings or costs once its outcome is known. As tested is what the same version "
        "would have brought on the data it was tested on.",
    ),
    "attribution": Term(
        "What moved the answers",
        "Each answer is taken apart into what every feature added to it. The bar is a feature's share of that in this "
        "window, the mark its share when the version was tested.",
    ),
    "experiment_window": Term(
        "Experiments",
        "Requests that were drawn by lot for one version or another in this window. Left to others are those whose "
        "version failed or was too slow.",
    ),
    "why": Term(
        "Why it is worse",
        "One part comes from other cases than in the test: the test's own cases, weighted to be like the new ones, "
        "show it. The rest comes from outcomes that follow otherwise on like cases.",
    ),
    "precision": Term("Precision", "The share of what is acted on that came true.", higher=True),
    "recall": Term("Recall", "The share of what came true that was acted on.", higher=True),
    "f1": Term("F1", "Precision and recall in one figure: their harmonic mean.", higher=True),
    "label_share": Term(
        "Outcomes known",
        "The share of answers whose true outcome has arrived. Quality can be judged on those only.",
    ),
    "latency": Term(
        "Time to answer",
        "Half of the requests are answered within the middle value (p50), 99 of 100 within the slow value (p99).",
    ),
    "champion": Term("Champion", "The version whose answers callers get."),
    "shadow": Term(
        "Shadow",
        "A version that answers the same requests silently, so that it can be compared on real traffic before "
        "anybody depends on it.",
    ),
    "challenger": Term("Challenger", "A version that answers part of the traffic, to be compared with the champion."),
    "quarantine": Term(
        "Set aside",
        "Rows that break the contract of their source. They are kept with the reason and counted, never dropped "
        "silently and never trained on.",
    ),
    "watch": Term(
        "Watched",
        "Each window of event time is held against such windows before it: how many rows, how new, what is empty, out "
        "of range or never seen, and how values are spread. What chance does not explain opens an alert.",
    ),
    "distance": Term(
        "Distance",
        "How differently the values of two versions are spread over ranges, empty values being one of them (Jeffreys' "
        "divergence, PSI). 0 means the same; 0.1 is a change to look at.",
        higher=False,
    ),
    "chance": Term(
        "By chance",
        "How far apart two samples of these sizes lie once in a thousand times though nothing has changed. Only beyond "
        "it is a column called moved.",
    ),
    "distinct": Term("Distinct", "How many different values there are; above a few, counted to within 2 or 3 in 100."),
    "chain": Term(
        "Chain",
        "Every entry holds the digest of the one before, so that none can be changed, removed or slipped in without "
        "breaking what follows. Entries cut off at the end are found by a digest noted elsewhere.",
    ),
    "privacy": Term(
        "Class",
        "Public and internal values may be shown. Personal, sensitive and secret ones are masked on every page, kept "
        "in no statistics, and reading them is put on record.",
    ),
    "age": Term(
        "Age",
        "How old the newest value was when an answer used it. Past its time to live a value counts as unknown, never "
        "as current.",
    ),
    "digest": Term(
        "Digest",
        "A fingerprint of content: equal digest, equal content. With it anybody can check that nothing was changed.",
    ),
}


_PROPER = {"ROC", "Brier", "PSI", "KS", "JS"}


def term(name: str) -> Term:
    """The entry of a word; an unknown metric goes by its own name.

    Example:
        >>> term("roc_auc").label, term("card_precision").label
        ('ROC AUC', 'Card precision')
    """
    return TERMS.get(name) or _metric(name) or Term(name.replace("_", " ").capitalize(), "")


def _metric(name: str) -> Term | None:
    """A metric that has no entry of its own, by what it says of itself."""
    found = METRICS.get(name)
    if found is None:
        return None
    higher = {"greater": True, "lower": False, "zero": False}.get(found.better)
    return Term(found.title[:1].upper() + found.title[1:], f"{found.meaning[:1].upper()}{found.meaning[1:]}.", higher)


def label(name: str) -> str:
    """What a metric is called at the start of a sentence or in a table."""
    return term(name).label


def spoken(name: str) -> str:
    """What a metric is called within a sentence.

    Example:
        >>> spoken("average_precision"), spoken("roc_auc")
        ('average precision', 'ROC AUC')
    """
    if name not in TERMS and name in METRICS:
        return METRICS[name].title
    text = term(name).label
    return text if text.split()[0] in _PROPER else text[0].lower() + text[1:]


def better_higher(name: str) -> bool:
    """Whether more of a metric is better; where nothing is known, it is."""
    return term(name).higher is not False


def better_is(name: str) -> str:
    """Which way a metric is better, in a word; a dash where neither is.

    Example:
        >>> better_is("roc_auc"), better_is("mae"), better_is("mean_error"), better_is("base_rate")
        ('higher', 'lower', 'nearer 0', '\u2013')
    """
    found = METRICS.get(name)
    if found is None:
        return "higher" if better_higher(name) else "lower"
    return {"greater": "higher", "lower": "lower", "zero": "nearer 0", "neither": "\u2013"}[found.better]
