"""Programs as people write them, each in a style of its own, and what a draft must make of them."""

from __future__ import annotations

import json
from typing import NamedTuple


class Case(NamedTuple):
    """A program and what must stand in its draft.

    Attributes:
        name: File name.
        text: The program.
        label: The label's expression.
        features: Names of the features, in order.
        trainer: The trainer.
        metric: The metric.
        says: Parts of what could not be told.
        draft: Parts of the draft.
    """

    name: str
    text: str
    label: str
    features: list[str]
    trainer: str
    metric: str = "average_precision"
    says: tuple[str, ...] = ()
    draft: tuple[str, ...] = ()


def notebook(*cells: str) -> str:
    made = [{"cell_type": "markdown", "source": ["# Title"]}]
    made += [
        {"cell_type": "code", "source": cell.splitlines(keepends=True), "outputs": [], "metadata": {}} for cell in cells
    ]
    return json.dumps({"cells": made, "nbformat": 4, "nbformat_minor": 5, "metadata": {}})


CASES = [
    Case(
        "churn.py",
        """
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import train_test_split

df = pd.read_csv("data/churn.csv")
X = df[["tenure", "monthly_charges", "total_charges"]]
y = df["churned"]
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.2, random_state=42)
clf = LogisticRegression(C=0.3, max_iter=500, random_state=1)
clf.fit(X_train, y_train)
print(roc_auc_score(y_test, clf.predict_proba(X_test)[:, 1]))
""",
        "pl.col('churned') == 1",
        ["tenure", "monthly_charges", "total_charges"],
        "dt.Sklearn('sklearn.linear_model.LogisticRegression', C=0.3, max_iter=500)",
        "roc_auc",
        ("parted at random (train_test_split(X, y, test_size=0.2, random_state=42))",),
        ("dt.files('data/churn.csv')", "TODO: the column of the moment it is predicted"),
    ),
    Case(
        "pipeline.py",
        """
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.metrics import average_precision_score
from sklearn.model_selection import TimeSeriesSplit, cross_val_score
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

NUMERIC = ["age", "income"]
CATEGORICAL = ["city", "job"]
TARGET = "default"

def load(path="loans/loans.parquet"):
    frame = pd.read_parquet(path)
    return frame.sort_values("issued_date")

def build():
    numeric = Pipeline([("fill", SimpleImputer()), ("scale", StandardScaler())])
    prep = ColumnTransformer(
        [("num", numeric, NUMERIC), ("cat", OneHotEncoder(handle_unknown="ignore"), CATEGORICAL)]
    )
    forest = RandomForestClassifier(n_estimators=300, min_samples_leaf=5, n_jobs=-1)
    return Pipeline(steps=[("prep", prep), ("model", forest)])

def main():
    df = load()
    X, y = df.drop(columns=[TARGET, "loan_id"]), df[TARGET]
    model = build()
    scores = cross_val_score(model, X, y, cv=TimeSeriesSplit(5), scoring="average_precision")
    model.fit(X, y)

if __name__ == "__main__":
    main()
""",
        "pl.col('default') == 1",
        ["age", "income", "city", "job"],
        "dt.Sklearn('sklearn.ensemble.RandomForestClassifier', n_estimators=300, min_samples_leaf=5)",
        "average_precision",
        (),
        ("'city': dt.Column('string'),", "key='loan_id'", "time='issued_date'", "the program parts by time"),
    ),
    Case(
        "lgb_train.py",
        """
import lightgbm as lgb
import numpy as np
import pandas as pd

train = pd.read_csv("train.csv", parse_dates=["ts"])
cats = ["shop", "device"]
for c in cats:
    train[c] = train[c].astype("category")
train["log_price"] = np.log1p(train["price"])
train["hour"] = train["ts"].dt.hour
features = ["price", "log_price", "hour"] + cats
tr = train[train["ts"] < "2024-05-01"]
va = train[train["ts"] >= "2024-05-01"]
params = {"objective": "binary", "metric": "auc", "num_leaves": 63, "learning_rate": 0.05, "verbose": -1}
dtrain = lgb.Dataset(tr[features], label=tr["clicked"], categorical_feature=cats)
dvalid = lgb.Dataset(va[features], va["clicked"], reference=dtrain)
booster = lgb.train(params, dtrain, num_boost_round=400, valid_sets=[dvalid])
booster.save_model("model.txt")
""",
        "pl.col('clicked') == 1",
        ["price", "log_price", "hour", "shop", "device"],
        "dt.LightGBM(num_leaves=63, learning_rate=0.05, num_iterations=400)",
        "roc_auc",
        (),
        ("pl.col('price').log1p().alias('log_price')", "pl.col('ts').dt.hour().alias('hour')", "time='ts'",
         "the program parts by time", "'shop': dt.Column('string'),"),
    ),
    Case(
        "xgb_native.py",
        """
import xgboost as xgb
import pandas as pd
df = pd.read_csv("s/credit.csv")
FEATS = [c for c in ["a", "b", "c", "y"] if c != "y"]
dtrain = xgb.DMatrix(df[FEATS], label=df.y)
bst = xgb.train({"max_depth": 4, "eta": 0.1, "objective": "binary:logistic", "eval_metric": "logloss"}, dtrain, 250)
""",
        "pl.col('y') == 1",
        ["a", "b", "c"],
        "dt.XGBoost(max_depth=4, eta=0.1, num_boost_round=250)",
        "log_loss",
    ),
    Case(
        "xgb_sklearn.py",
        """
from xgboost import XGBClassifier
import pandas as pd
data = pd.read_json("events.jsonl", lines=True)
target = (data["minutes_late"] > 15).astype(int)
inputs = data.loc[:, ["carrier", "distance"]]
inputs = pd.get_dummies(inputs, columns=["carrier"])
model = XGBClassifier(n_estimators=100, max_depth=6, use_label_encoder=False)
model.fit(inputs, target, eval_metric="aucpr")
""",
        "(pl.col('minutes_late') > 15).cast(pl.Int64)",
        ["carrier", "distance"],
        "dt.XGBoost(max_depth=6, num_boost_round=100)",
        "average_precision",
        (),
        ("'carrier': dt.Column('string'),", "'minutes_late': dt.Column("),
    ),
    Case(
        "torch_loop.py",
        """
import torch
from torch import nn
import pandas as pd

COLS = ["x1", "x2", "x3"]

class Net(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(width, 32), nn.ReLU(), nn.Linear(32, 1))

    def forward(self, x):
        return self.layers(x)

df = pd.read_parquet("sensor.parquet")
X = torch.tensor(df[COLS].values, dtype=torch.float32)
y = torch.tensor(df["failure"].values, dtype=torch.float32)
net = Net(len(COLS))
loss_fn = nn.BCEWithLogitsLoss()
opt = torch.optim.Adam(net.parameters(), lr=1e-3)
for epoch in range(20):
    opt.zero_grad()
    loss = loss_fn(net(X).squeeze(), y)
    loss.backward()
    opt.step()
torch.save(net.state_dict(), "net.pt")
""",
        "pl.col('failure') == 1",
        ["x1", "x2", "x3"],
        "dt.LightGBM()",
        "average_precision",
        ("Net is a network that the program trains in a loop of its own",),
        ("dt.files('sensor.parquet')",),
    ),
    Case(
        "magics.ipynb",
        notebook(
            "%matplotlib inline\n!pip install lightgbm\nimport pandas as pd\nimport lightgbm as lgb",
            "%%bash\nls -la",
            "files = !ls data\ndf = pd.read_csv('data/trips.csv')\ndf.head()\ndf?",
            "%%time\ny = df.pop('tipped')\n"
            "model = lgb.LGBMClassifier(n_estimators=200)\nmodel.fit(df[['fare', 'km']], y)",
            "from sklearn.metrics import f1_score\nf1_score(y, model.predict(df[['fare', 'km']]))",
        ),
        "pl.col('tipped') == 1",
        ["fare", "km"],
        "dt.LightGBM(n_estimators=200)",
        "average_precision",
        ("Cell 3 is no Python (%%bash)", "f1_score is no metric here"),
    ),
    Case(
        "broken_cell.ipynb",
        notebook(
            "import pandas as pd\nfrom sklearn.naive_bayes import GaussianNB",
            "df = pd.read_csv('iris.csv'",
            "df = pd.read_csv('iris.csv')\nX = df[['petal', 'sepal']]",
            "for x in range(10)\n    print(x)\nm = GaussianNB()\nm.fit(X, df['virginica'] == 1)",
        ),
        "(pl.col('virginica') == 1)",
        ["petal", "sepal"],
        "dt.Sklearn('sklearn.naive_bayes.GaussianNB')",
        "average_precision",
        ("cell 3, line 1 is no Python", "cell 5, line 1 is no Python"),
    ),
    Case(
        "syntax_error.py",
        """
import pandas as pd
from sklearn.tree import DecisionTreeClassifier
df = pd.read_csv("bank.csv")
print "python two"
tree = DecisionTreeClassifier(max_depth=4)
tree.fit(df[["balance", "age"]], df["y"].map({"yes": 1, "no": 0}))
""",
        "(pl.col('y') == 'yes')",
        ["balance", "age"],
        "dt.Sklearn('sklearn.tree.DecisionTreeClassifier', max_depth=4)",
        "average_precision",
        ("line 5 is no Python",),
    ),
    Case(
        "drop_all.py",
        """
import pandas as pd
from sklearn.ensemble import GradientBoostingClassifier
df = pd.read_csv("gone.csv").dropna()
df["ratio"] = df["debt"] / df["income"]
df["mean_by_city"] = df.groupby("city")["income"].transform("mean")
X = df.drop("bad", axis=1)
GradientBoostingClassifier(learning_rate=0.1).fit(X, df["bad"])
""",
        "pl.col('bad') == 1",
        ["ratio", "mean_by_city"],
        "dt.Sklearn('sklearn.ensemble.GradientBoostingClassifier', learning_rate=0.1)",
        "average_precision",
        ("reads every column of its rows but some (bad)", "Values are gathered over other rows (.groupby('city'))",
         "How mean_by_city is made has no counterpart row by row"),
        ("(pl.col('debt') / pl.col('income')).alias('ratio')",),
    ),
    Case(
        "grid.py",
        """
import polars as pl
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from pathlib import Path

HERE = Path("store")
rows = pl.read_parquet(HERE / "fraud.parquet")
features = ["amount", "merchant_age"]
search = GridSearchCV(make_pipeline(StandardScaler(), SVC(probability=True)), {"svc__C": [1, 10]}, scoring="roc_auc")
search.fit(rows.select(features), rows["fraud"])
""",
        "pl.col('fraud') == 1",
        ["amount", "merchant_age"],
        "dt.Sklearn('sklearn.svm.SVC', probability=True)",
        "average_precision",
        (),
        ("dt.files('store/fraud.parquet')",),
    ),
    Case(
        "regression.py",
        """
import pandas as pd
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.metrics import mean_absolute_error
df = pd.read_csv("houses.csv", usecols=["area", "rooms", "price"])
feats = df.columns.drop("price")
reg = HistGradientBoostingRegressor(max_leaf_nodes=15)
reg.fit(df[["area", "rooms"]], df["price"])
""",
        "pl.col('price')",
        ["area", "rooms"],
        "dt.Sklearn('sklearn.ensemble.HistGradientBoostingRegressor', max_leaf_nodes=15)",
        "average_precision",
        ("It tells a number, not a yes or no",),
    ),
    Case(
        "sql_class.py",
        """
import pandas as pd
import sqlalchemy
from lightgbm import LGBMClassifier

class Trainer:
    columns = ["visits", "basket"]

    def __init__(self):
        self.engine = sqlalchemy.create_engine("postgresql://user@host/shop")

    def run(self):
        frame = pd.read_sql("SELECT * FROM visits WHERE day > '2024-01-01'", self.engine)
        x = frame[["visits", "basket"]]
        y = frame["bought"]
        self.model = LGBMClassifier(num_leaves=15)
        self.model.fit(x, y)

Trainer().run()
""",
        "pl.col('bought') == 1",
        ["visits", "basket"],
        "dt.LightGBM(num_leaves=15)",
        "average_precision",
        (),
        ("dt.sql('postgresql://user@host/shop', query=\"SELECT * FROM visits WHERE day > '2024-01-01'\")",),
    ),
    Case(
        "merge.py",
        """
import pandas as pd, numpy as np
from catboost import CatBoostClassifier
orders = pd.read_csv("orders.csv"); users = pd.read_csv("users.csv")
df = orders.merge(users, on="user_id", how="left")
df["weekend"] = np.where(df["dow"] >= 5, 1, 0)
df["name_len"] = df["name"].str.len()
cols = ["dow", "weekend", "name_len"]
cols.append("amount")
cb = CatBoostClassifier(iterations=100, cat_features=["dow"])
cb.fit(df[cols], df["returned"])
""",
        "pl.col('returned') == 1",
        ["dow", "weekend", "name_len", "amount"],
        "dt.LightGBM()",
        "average_precision",
        ("Rows are joined with others by user_id", "CatBoost has no trainer here"),
        ("pl.when((pl.col('dow') >= 5)).then(pl.lit(1)).otherwise(pl.lit(0)).alias('weekend')",
         "pl.col('name').str.len_chars().alias('name_len')", "the program reads users.csv too"),
    ),
    Case(
        "pickled.py",
        """
import joblib, pickle
import pandas as pd
model = joblib.load("model.pkl")
df = pd.read_pickle("frame.pkl")
print(model.predict(df))
""",
        "pl.col('answer') == 1",
        [],
        "dt.LightGBM()",
        "average_precision",
        ("A pickle is loaded", "Which model is fitted could not be told", "Which column is the label could not"),
        ("a pickle can't be a source",),
    ),
    Case(
        "iloc.py",
        """
import numpy as np
import pandas as pd
from sklearn.neighbors import KNeighborsClassifier
d = pd.read_csv("wine.csv", header=None)
X, y = d.iloc[:, :-1].values, d.iloc[:, -1].values
knn = KNeighborsClassifier(n_neighbors=7)
knn.fit(X, y)
""",
        "pl.col('answer') == 1",
        [],
        "dt.Sklearn('sklearn.neighbors.KNeighborsClassifier', n_neighbors=7)",
        "average_precision",
        ("Columns are picked by place (d.iloc[:, :-1])",),
    ),
    Case(
        "datasets.py",
        """
from sklearn.datasets import load_breast_cancer
from sklearn.linear_model import SGDClassifier
from sklearn.metrics import log_loss
X, y = load_breast_cancer(return_X_y=True)
SGDClassifier(loss="log_loss").fit(X, y)
log_loss([0], [0.1])
""",
        "pl.col('answer') == 1",
        [],
        "dt.Sklearn('sklearn.linear_model.SGDClassifier', loss='log_loss')",
        "log_loss",
        ("Rows come from scikit-learn's load_breast_cancer()",),
    ),
    Case(
        "old_format.ipynb",
        json.dumps(
            {"worksheets": [{"cells": [{"cell_type": "code", "input": ["import pandas as pd\n",
             "from sklearn.linear_model import LogisticRegression as LR\n", "t = pd.read_table('t.tsv')\n",
             "LR().fit(t[['p']], t['q'])"]}]}], "nbformat": 3}
        ),
        "pl.col('q') == 1",
        ["p"],
        "dt.Sklearn('sklearn.linear_model.LogisticRegression')",
    ),
    Case(
        "hostile.py",
        '''
import pandas as pd
import os
os.system("touch /tmp/drivetrain-adopt-ran")
open("/tmp/drivetrain-adopt-ran", "w").write("x")
df = pd.read_csv("a\\"\\"\\"b.csv")
from sklearn.linear_model import LogisticRegression
LogisticRegression(C=1.0).fit(df[["a'b", 'q"""uote', "new\\nline"]], df["class"])
''',
        "pl.col('class') == 1",
        ["a'b", 'q"""uote', "new\nline"],
        "dt.Sklearn('sklearn.linear_model.LogisticRegression', C=1.0)",
    ),
]  # fmt: skip
