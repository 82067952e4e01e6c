"""The admin's page of users: Django's own."""

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin

from workbench.logins import AdminLoginForm
from workbench.models import User

admin.site.login_form = AdminLoginForm
admin.site.register(User, UserAdmin)
