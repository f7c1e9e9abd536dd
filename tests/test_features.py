"""The scikit-learn transformer works where scikit-learn's own do."""

import pytest
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, StratifiedKFold
from sklearn.pipeline import make_pipeline

from forewarn.features import COLUMNS, RhetoricFeatures
from forewarn.model.files import ModelError
from forewarn.model.predictor import Predictor

USED = 'The café opened; the "vermin", said Ilo Marr of the marchers, must leave.'
PLAIN = "The library opens at nine on Monday."


@pytest.fixture(scope="module")
def features(tiny_model):
    return RhetoricFeatures(str(tiny_model), threshold=0.0)


def test_columns_hold_the_highest_score_of_their_spans(features, tiny_model):
    rows = features.fit_transform([USED, PLAIN])
    assert rows.shape == (2, len(COLUMNS)) and rows.min() >= 0 and rows.max() <= 1
    prediction = Predictor.load(tiny_model, threshold=0.0).predict_one(USED)
    assert prediction.spans
    row = dict(zip(features.get_feature_names_out(), rows[0], strict=True))
    assert row["mention"] == prediction.mention
    for name in {f"{s.label}:{s.voice}" if s.voice else s.label for s in prediction.spans}:
        scores = [s.score for s in prediction.spans if name in (s.label, f"{s.label}:{s.voice}")]
        assert row[name] == max(scores)


def test_no_texts_give_no_rows(features):
    assert features.transform([]).shape == (0, len(COLUMNS))


def test_works_in_a_grid_search(features):
    pipeline = make_pipeline(clone(features), LogisticRegression(C=1000))
    search = GridSearchCV(
        pipeline, {"rhetoricfeatures__threshold": [0.0, 0.9]}, cv=StratifiedKFold(3)
    )
    search.fit([USED, PLAIN] * 3, [1, 0] * 3)
    assert search.best_score_ == 1.0
    assert list(search.predict([USED, PLAIN])) == [1, 0]


def test_one_string_is_refused(features):
    with pytest.raises(TypeError, match="put it in a list"):
        features.transform(USED)


def test_a_missing_model_is_told_at_fit():
    with pytest.raises(ModelError, match="not found"):
        RhetoricFeatures("no-such-model").fit([USED])
