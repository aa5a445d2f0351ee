# SPDX-License-Identifier: MIT
"""An elastic net, alpha and beta to be tuned. Needs scikit-learn (Debian: python3-sklearn)."""

import os
import warnings

import joblib
from sklearn.datasets import load_diabetes
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import ElasticNet
from sklearn.metrics import mean_squared_error, r2_score
from sklearn.model_selection import KFold, cross_validate, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

# What stands here is done once, before all trials: imports, and data that they share.
x, y = load_diabetes(return_X_y=True, scaled=False)
x_train, x_test, y_train, y_test = train_test_split(x, y, test_size=0.2, random_state=1337)
folds = KFold(n_splits=5, shuffle=True, random_state=1337)
warnings.filterwarnings("ignore", category=ConvergenceWarning)  # tiny alphas do not converge, and score badly


def network(suggestion):
    net = ElasticNet(alpha=suggestion["alpha"], l1_ratio=suggestion["beta"], max_iter=5000)
    return make_pipeline(StandardScaler(), net) if suggestion["normalize"] == "True" else net


def run_hyperopt(context):
    """One trial: trains and validates, and keeps the model for run_test."""
    suggestion = context["suggestion"]
    scores = cross_validate(network(suggestion), x_train, y_train, cv=folds,
                            scoring=("neg_mean_squared_error", "r2"))
    errors = -scores["test_neg_mean_squared_error"]
    model = network(suggestion).fit(x_train, y_train)
    joblib.dump(model, os.path.join(context["output_path"], "model.joblib"))
    return [
        {"name": "mse", "value": errors.mean(), "value_stddev": errors.std(ddof=1) / len(errors) ** 0.5},
        {"name": "r2", "value": scores["test_r2"].mean()},
    ]


def run_test(context):
    """The kept model on the part of the data that the search never saw."""
    model = joblib.load(os.path.join(context["output_path"], "model.joblib"))
    predicted = model.predict(x_test)
    return {"mse": mean_squared_error(y_test, predicted), "r2": r2_score(y_test, predicted)}


if __name__ == "__main__":  # python3 main.py, without any mb: is the function right?
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        context = {"suggestion": {"alpha": 0.1, "beta": 0.5, "normalize": "True"}, "output_path": folder}
        print(run_hyperopt(context))
        print(run_test(context))
