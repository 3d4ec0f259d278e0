"""Networks of Keras by a factory of the project: the one that the documents show, executed."""
# ruff: noqa: E501 - whole messages stay on one line, so that they can be searched for

from __future__ import annotations

import os
import re
import sys
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pytest_model_gate.errors import ConfigurationError, EvaluationError
from pytest_model_gate.models.builtin import model_gate_model
from pytest_model_gate.models.contract import check_predictions
from pytest_model_gate.models.examine import examine
from pytest_model_gate.models.scoring import score
from pytest_model_gate.spec import SourceContext

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "models-from-files.md"
ROWS = pd.DataFrame(np.random.default_rng(5).normal(size=(300, 3)), columns=["income", "debt", "age"])
#: The columns lie in another order, and there is one more: the factory names its own.
DATA = ROWS[["age", "debt", "income"]].assign(other=1.0)


#: What Keras does with variables of JAX when it writes them.
OLD_ARRAY = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


# ------------------------------------------------------------------------------------ without Keras


@pytest.mark.parametrize("source", ["models/net.keras", "net.h5", "C:\\models\\net.keras", "NET.HDF5"])
def test_a_file_of_keras_teaches_the_factory(source):
    name = re.split(r"[/\\]", source)[-1] if os.name == "nt" or "\\" not in source else source
    message = (
        f"'{source}' is a file of Keras: it does not say which columns the network takes and which classes it tells apart, and may hold code.\n"
        f"  Write a function that returns the model, with keras.saving.load_model('{name}', safe_mode=True), and name it: python:networks:network. "
        "See 'PyTorch and Keras' in docs/how-to/models-from-files.md."
    )
    for look in (model_gate_model, examine):
        with pytest.raises(ConfigurationError) as error:
            look(source, SourceContext())
        assert str(error.value) == message


def test_what_is_no_file_of_keras_is_left_to_others():
    assert model_gate_model("vault:net.keras", SourceContext()) is None
    assert model_gate_model("net.kerass", SourceContext()) is None


# --------------------------------------------------------------------------------------- with Keras


@pytest.fixture(scope="module")
def keras():
    if "EXPECT_KERAS" not in os.environ:  # its own environment must not pass without having run anything
        pytest.importorskip("keras", "3.10")
        pytest.importorskip("jax")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import keras
    return keras


@pytest.fixture
def project(tmp_path, monkeypatch, keras):
    """A project with the factory that the documents show, in a module of its own name."""
    (code,) = re.findall(r"```python\n(import keras\n.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    (tmp_path / "keras_networks.py").write_text(code, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    yield tmp_path
    sys.modules.pop("keras_networks", None)


def network(keras, outputs, activation):
    keras.utils.set_random_seed(1)
    layers = keras.layers
    return keras.Sequential(
        [layers.Input((3,)), layers.Dense(4, activation="tanh"), layers.Dense(outputs, activation=activation)]
    )


def by_hand(model, end):
    first, bias, second, other = (np.asarray(weight, dtype=float) for weight in model.get_weights())
    return end(np.tanh(ROWS.to_numpy() @ first + bias) @ second + other)


def opened(root, factory="keras_network"):
    return model_gate_model(f"python:keras_networks:{factory}", SourceContext(root=str(root)))


@pytest.mark.keras
@OLD_ARRAY
def test_one_sigmoid_is_the_probability_of_the_second_class(keras, project):
    net = network(keras, 1, "sigmoid")
    net.save("model.keras")
    model = opened(project)
    assert (model.columns, model.classes) == (("income", "debt", "age"), (0, 1))
    scored = score(model, [DATA[:100], DATA[100:]], {"probability", "label"})
    said = scored.probability
    expected = by_hand(net, lambda logit: 1 / (1 + np.exp(-logit)))[:, 0]
    assert said.dtype == np.float64
    assert said.shape == (300, 2)
    np.testing.assert_allclose(said[:, 1], expected, atol=1e-6)
    np.testing.assert_allclose(said.sum(axis=1), 1, atol=1e-12)
    assert not check_predictions("candidate", scored, rows=len(DATA), model_classes=model.classes)
    np.testing.assert_array_equal(model.predict(ROWS, "label"), (said[:, 1] > 0.5).astype(int))


@pytest.mark.keras
@OLD_ARRAY
def test_a_softmax_has_a_probability_for_each_class(keras, project):
    net = network(keras, 3, "softmax")
    net.save("model.keras")
    module = project / "keras_networks.py"
    module.write_text(module.read_text().replace("np.array([0, 1])", 'np.array(["bird", "cat", "dog"])'))
    model = opened(project)
    assert model.classes == ("bird", "cat", "dog")
    scored = score(model, [DATA], {"probability"})
    said = scored.probability

    def softmax(logits):
        risen = np.exp(logits)
        return risen / risen.sum(axis=1, keepdims=True)

    np.testing.assert_allclose(said, by_hand(net, softmax), atol=1e-6)
    # Of numbers with 32 bits the sum is not exactly one.
    assert np.abs(said.sum(axis=1) - 1).max() > 1e-12
    assert not check_predictions("candidate", scored, rows=len(DATA), model_classes=model.classes)
    assert list(model.predict(ROWS, "label")) == [model.classes[place] for place in said.argmax(axis=1)]


@pytest.mark.keras
@OLD_ARRAY
def test_a_network_as_a_function_of_the_rows(keras, project):
    """The shortest factory: a regression, or a probability of the positive class, in a column of 32 bits."""
    net = network(keras, 1, "linear")
    net.save("model.keras")
    (project / "keras_networks.py").write_text(
        "import keras\n\n\ndef short():\n    net = keras.saving.load_model('model.keras')\n"
        "    return lambda rows: net.predict(rows[['income', 'debt', 'age']].to_numpy('float32'), verbose=0)\n"
    )
    said = opened(project, "short").predict(DATA, "value")
    assert said.shape == (300,)
    np.testing.assert_allclose(said, by_hand(net, lambda value: value)[:, 0], atol=1e-6)


@pytest.mark.keras
@OLD_ARRAY
def test_the_digest_is_that_of_the_file_and_of_the_code(keras, project):
    network(keras, 1, "sigmoid").save("model.keras")
    first = opened(project).digest
    assert first.startswith("sha256:")
    assert opened(project).digest == first
    net = network(keras, 1, "sigmoid")
    net.layers[0].set_weights([weight + 1 for weight in net.layers[0].get_weights()])
    net.save("model.keras")
    assert opened(project).digest != first


@pytest.mark.keras
@OLD_ARRAY
def test_a_file_with_code_is_refused_by_keras(keras, project):
    layers = keras.layers
    keras.Sequential([layers.Input((3,)), layers.Lambda(lambda rows: rows[:, :1])]).save("model.keras")
    with pytest.raises(EvaluationError) as error:
        opened(project)
    assert str(error.value).startswith(
        "'python:keras_networks:keras_network' failed with ValueError: Requested the deserialization of a `Lambda` layer"
    )
