"""Routes of the pages."""

from django.urls import URLPattern, path

from feeds import views

urlpatterns: list[URLPattern] = [
    path("", views.feed, name="feed"),
    path("following", views.following, name="feed-following"),
    path("friends", views.friends, name="feed-friends"),
    path("explore", views.explore, name="explore"),
    path("tag/<str:name>", views.tag, name="tag"),
    path("search", views.search, name="search"),
]
