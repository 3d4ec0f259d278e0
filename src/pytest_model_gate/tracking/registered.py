"""As which version of the registry a logged model is registered: it has to be exactly one."""

from __future__ import annotations

from ..errors import ConfigurationError
from ..mlflow_calls import connected
from ..spec import SourceContext
from ..wording import some


def version_of(context: SourceContext, model_id: str) -> tuple[str, str]:
    """Return name and version that a logged model is registered as.

    Raises
    ------
    ConfigurationError
        If it is none, or several: nobody said which one is meant.
    UnavailableError
        If the registry does not answer.
    """
    source = f"models:/{model_id}"
    with connected(context, source) as client:
        # A version has no field for it that every store fills; where it came from says it.
        found = client.search_model_versions(f"source_path = '{source}'")
    versions = sorted((each.name, int(each.version)) for each in found)
    if len(versions) == 1:
        return versions[0][0], str(versions[0][1])
    if not versions:
        raise ConfigurationError(
            f"Nothing is promoted: the logged model '{model_id}' is no registered version of a model.",
            f'Register it (mlflow.register_model("{source}", "name")), and run the gates again.',
        )
    raise ConfigurationError(
        f"Nothing is promoted: the logged model '{model_id}' is registered as {len(versions)} versions: "
        f"{some([f'models:/{name}/{version}' for name, version in versions])}.",
        f'Judge the one that is meant: candidate = "models:/{versions[0][0]}/{versions[0][1]}".',
    )
