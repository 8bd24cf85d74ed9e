"""Queries whose SQL is made once."""

import pytest
from django.db.models import BigIntegerField, Exists, OuterRef

from accounts.models import Follow, User
from tests.factories import UserFactory
from tiktok_clone.common.compiled import Compiled, Named

pytestmark = pytest.mark.django_db


def test_values_are_given_each_time_wherever_they_stand() -> None:
    one, other, third = (UserFactory() for _ in range(3))
    Follow.objects.create(follower=one, followee=third)
    Follow.objects.create(follower=other, followee=one)
    reader = Named("reader", BigIntegerField())
    follows = Follow.objects.filter(follower=reader, followee=OuterRef("pk"))
    people = User.objects.filter(Exists(follows), is_active=True).exclude(pk=reader)
    followed = Compiled(people.values_list("pk", "handle"))
    assert followed.rows(reader=one.pk) == [(third.pk, third.handle)]
    assert followed.rows(reader=other.pk) == [(one.pk, one.handle)]
    assert followed.rows(reader=third.pk) == []


def test_a_value_that_is_missing_is_noticed() -> None:
    people = Compiled(User.objects.filter(pk=Named("reader", BigIntegerField())).values_list("pk"))
    with pytest.raises(KeyError, match="reader"):
        people.rows(other=1)
