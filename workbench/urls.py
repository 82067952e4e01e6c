"""All addresses of the site: pages, API, admin and login. (Probes are answered before: workbench.health.)"""

from django.contrib import admin
from django.contrib.auth.views import LogoutView
from django.urls import include, path

from workbench.logins import Login

urlpatterns = [
    path("login/", Login.as_view(), name="login"),
    path("logout/", LogoutView.as_view(), name="logout"),
    path("admin/", admin.site.urls),
    path("api/v1/", include("chats.api.urls")),
    path("", include("chats.urls")),
]
