"""The admin alone: handlers' pages are tested without the apps above them."""

from django.contrib import admin
from django.urls import path

urlpatterns = [path("admin/", admin.site.urls)]
