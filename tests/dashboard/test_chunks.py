"""The dashboard is cut into files the way we ask, or its build says that Reflex changed."""

from __future__ import annotations

import pytest
from reflex.config import get_config
from reflex.utils.frontend_skeleton import _compile_vite_config

from pulse_dash.chunks import with_libraries_apart


def test_reflexs_own_configuration_of_vite_takes_one_more_group() -> None:
    configured = with_libraries_apart(_compile_vite_config(get_config()))

    assert configured.count('name: "libraries"') == 1
    assert configured.count('name: "reflex-env"') == 1


def test_a_configuration_that_is_written_differently_is_told_and_not_left_as_it_is() -> None:
    with pytest.raises(RuntimeError, match="differently"):
        with_libraries_apart("export default {}")
