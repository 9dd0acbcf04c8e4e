from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from argon2 import PasswordHasher
from sqlalchemy import select

from chatbot.errors import AccessError, ConflictError, InputError
from chatbot.records import audit, people
from chatbot.records.database import Database
from chatbot.records.schema import upgrade
from chatbot.records.tables import Person, SetupLink, utcnow

PASSWORD = "correct horse battery"


@pytest.fixture(autouse=True)
def cheap_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Real argon2id hashes with parameters that cost nothing."""
    quick = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    monkeypatch.setattr(people, "_hasher", lambda: quick)
    people._nobodys_hash.cache_clear()


@pytest.fixture
def records(tmp_path: Path) -> Iterator[Database]:
    database = Database(f"sqlite:///{tmp_path / 'people.db'}")
    upgrade(database)
    yield database
    database.dispose()


def add(records: Database, email: str = "mei@example.com", role: str = "admin") -> int:
    with records.write() as session:
        return people.create_person(session, email=email, name="Mei", password=PASSWORD, role=role).id


def test_a_password_is_stored_as_an_argon2id_hash(records: Database) -> None:
    add(records)
    with records.read() as session:
        (stored,) = session.scalars(select(Person.password_hash))
    assert stored.startswith("$argon2id$")
    assert PASSWORD not in stored


def test_the_right_password_lets_in_and_a_wrong_one_does_not(records: Database) -> None:
    add(records)
    with records.write() as session:
        person = people.verify(session, email=" Mei@Example.com ", password=PASSWORD)
        assert person is not None
        assert person.last_sign_in_at is not None
        assert people.verify(session, email="mei@example.com", password=PASSWORD + "!") is None
        assert people.verify(session, email="nobody@example.com", password=PASSWORD) is None


def test_somebody_switched_off_stays_out(records: Database) -> None:
    add(records)
    other = add(records, "jonas@example.com", "agent")
    with records.write() as session:
        people.set_active(session, people.get_person(session, other), False)
    with records.write() as session:
        assert people.verify(session, email="jonas@example.com", password=PASSWORD) is None


@pytest.mark.parametrize("password", ["short", "x" * 201, "mei@example.com"])
def test_a_bad_password_is_refused_without_repeating_it(records: Database, password: str) -> None:
    with pytest.raises(InputError) as refused, records.write() as session:
        people.create_person(session, email="mei@example.com", name="", password=password, role="admin")
    assert refused.value.field == "password"
    assert refused.value.value is None


@pytest.mark.parametrize("email", ["", "mei", "mei@", "me i@example.com", "a@b"])
def test_an_address_that_is_none_is_refused(records: Database, email: str) -> None:
    with pytest.raises(InputError, match="e-mail"), records.write() as session:
        people.create_person(session, email=email, name="", password=PASSWORD, role="admin")


def test_an_address_has_one_account(records: Database) -> None:
    add(records)
    with pytest.raises(ConflictError):
        add(records, "MEI@example.com")


def test_the_last_admin_keeps_the_role_and_the_account(records: Database) -> None:
    mei = add(records)
    with pytest.raises(ConflictError), records.write() as session:
        people.set_role(session, people.get_person(session, mei), "viewer")
    with pytest.raises(ConflictError), records.write() as session:
        people.set_active(session, people.get_person(session, mei), False)
    add(records, "sara@example.com")
    with records.write() as session:
        people.set_role(session, people.get_person(session, mei), "viewer")
    with records.read() as session:
        assert people.get_person(session, mei).role == "viewer"


def test_a_new_password_ends_the_open_sessions(records: Database) -> None:
    mei = add(records)
    with records.write() as session:
        person = people.get_person(session, mei)
        before = person.session_epoch
        people.set_password(session, person, PASSWORD + " staple")
        assert person.session_epoch == before + 1


def test_roles_contain_one_another() -> None:
    assert [people.at_least("editor", role) for role in people.ROLES] == [True, True, True, False]
    assert not people.at_least("owner", "viewer")


def test_a_link_makes_one_account_once(records: Database) -> None:
    with records.write() as session:
        token = people.create_link(session, role="admin")
    with records.read() as session:
        (stored,) = session.scalars(select(SetupLink.token_hash))
    assert token not in stored
    with records.write() as session:
        person = people.use_link(session, token, email="mei@example.com", name="Mei", password=PASSWORD)
        assert (person.role, person.email) == ("admin", "mei@example.com")
    with pytest.raises(AccessError), records.write() as session:
        people.use_link(session, token, email="eve@example.com", name="Eve", password=PASSWORD)


def test_a_link_expires(records: Database) -> None:
    start = utcnow()
    with records.write() as session:
        token = people.create_link(session, role="admin", now=start)
    late = start + people.LINK_LIFETIME
    with pytest.raises(AccessError), records.read() as session:
        people.open_link(session, token, now=late)
    with records.read() as session:
        people.open_link(session, token, now=late - timedelta(seconds=1))


def test_a_second_first_link_replaces_the_one_before(records: Database) -> None:
    with records.write() as session:
        old = people.create_link(session, role="admin")
        new = people.create_link(session, role="admin")
        people.open_link(session, new)
        with pytest.raises(AccessError):
            people.open_link(session, old)


def test_the_first_admins_link_is_worthless_once_there_is_an_admin(records: Database) -> None:
    with records.write() as session:
        token = people.create_link(session, role="admin")
    add(records)
    with pytest.raises(AccessError), records.read() as session:
        people.open_link(session, token)


def test_a_link_for_an_account_sets_its_password_and_nothing_else(records: Database) -> None:
    add(records)
    add(records, "jonas@example.com", "viewer")
    with records.write() as session:
        token = people.create_link(session, role="admin", email="jonas@example.com")
    with records.write() as session:
        person = people.use_link(
            session, token, email="eve@example.com", name="Eve", password="another long password"
        )
        assert (person.email, person.role, person.name) == ("jonas@example.com", "viewer", "Mei")


def test_audit_entries_come_newest_first_with_their_person(records: Database) -> None:
    mei = add(records)
    with records.write() as session:
        audit.record(session, action="release.promote", subject="release r1", person_id=mei)
        audit.record(session, action="person.role", subject="jonas@example.com", detail={"to": "agent"})
    with records.read() as session:
        assert [(line.action, line.who) for line in audit.entries(session)] == [
            ("person.role", ""),
            ("release.promote", "Mei"),
        ]
        assert [line.subject for line in audit.entries(session, action="release")] == ["release r1"]


def test_a_hash_with_cheaper_parameters_is_renewed_at_the_next_sign_in(
    records: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(records)
    dearer = PasswordHasher(time_cost=2, memory_cost=16, parallelism=1)
    monkeypatch.setattr(people, "_hasher", lambda: dearer)
    with records.write() as session:
        person = people.verify(session, email="mei@example.com", password=PASSWORD)
        assert person is not None
        assert not dearer.check_needs_rehash(person.password_hash)
