"""Scopes as data: no read by id and no list leaves the one it was given, whatever it is filtered by."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from pulse_dash.store.projects import Projects
from pulse_dash.store.records import Records, View, both
from pulse_dash.store.scope import Scope
from tests.core.soak import examples

_IDS = st.sampled_from(["a", "b", "c", "d"])
_SCOPES = st.builds(
    Scope, st.frozensets(_IDS, max_size=3), st.frozensets(_IDS, max_size=3), st.booleans() | st.just(False)
)


class _ByOrganization(Records[Any]):
    """An organization's own document: its id is the organization's."""

    organization_field = "_id"
    project_field = None

    def __init__(self) -> None:
        """No store: only the query is looked at."""


class _ByProject(Projects):
    def __init__(self) -> None:
        """No store: only the query is looked at."""


class _ByNobody(_ByOrganization):
    organization_field = None


def matches(query: dict[str, Any], document: dict[str, Any]) -> bool:
    """What the few operators of a scope mean."""
    for field, wanted in query.items():
        if field == "$and":
            if not all(matches(part, document) for part in wanted):
                return False
        elif field == "$or":
            if not any(matches(part, document) for part in wanted):
                return False
        elif isinstance(wanted, dict):
            if document.get(field) not in wanted["$in"]:
                return False
        elif document.get(field) != wanted:
            return False
    return True


@given(record_id=_IDS, scope=_SCOPES, document_id=_IDS, org_id=_IDS)
@settings(max_examples=examples(300, 20_000), deadline=None)
def test_a_read_by_id_answers_that_id_inside_the_scope_and_nothing_else(
    record_id: str, scope: Scope, document_id: str, org_id: str
) -> None:
    document = {"_id": document_id, "org_id": org_id, "deleted_at": None}
    inside = {
        _ByProject: org_id in scope.organizations or document_id in scope.projects,
        _ByOrganization: document_id in scope.organizations,
        _ByNobody: False,
    }
    for kind, reached in inside.items():
        query = kind()._one(record_id, scope)
        assert matches(query, document) == (document_id == record_id and (scope.everything or reached)), kind


@given(scope=_SCOPES, wanted=_IDS, document_id=_IDS, org_id=_IDS)
@settings(max_examples=examples(300, 20_000), deadline=None)
def test_a_list_never_leaves_its_scope_whatever_it_is_filtered_by(
    scope: Scope, wanted: str, document_id: str, org_id: str
) -> None:
    document = {"_id": document_id, "org_id": org_id, "deleted_at": None}
    records = _ByProject()
    records._view = View(scope, scope, "view")
    for filter in ({"org_id": wanted}, {"_id": wanted}, {}):
        if matches(records._inside(filter), document):
            assert matches(filter, document)
            assert scope.everything or org_id in scope.organizations or document_id in scope.projects


_FIELDS = st.dictionaries(st.sampled_from(["x", "y"]), _IDS)


@given(one=_FIELDS, other=_FIELDS, document=_FIELDS)
def test_both_means_both(one: dict[str, str], other: dict[str, str], document: dict[str, str]) -> None:
    assert matches(both(one, other), document) == (matches(one, document) and matches(other, document))
