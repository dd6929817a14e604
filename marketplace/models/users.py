"""People who sign in."""

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.db import models
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _


class UserManager(BaseUserManager["User"]):
    """Creates users by e-mail, which is stored in lower case."""

    def create_user(self, email: str, password: str | None = None, **fields: object) -> "User":
        """Create an ordinary user; raises ValueError without an e-mail."""
        if not email:
            raise ValueError("A user needs an e-mail address.")
        user = self.model(email=self.normalize_email(email).lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: object) -> "User":
        """Create a user with every right in the administration pages."""
        return self.create_user(email, password, is_staff=True, is_superuser=True, **fields)

    def get_by_natural_key(self, username: str | None) -> "User":
        """Find a user by e-mail, whatever the case."""
        return self.get(email=(username or "").lower())


class User(AbstractBaseUser, PermissionsMixin):
    """A person; what the person may do follows from memberships."""

    email = models.EmailField(_("E-mail"), unique=True)
    mobile = models.CharField(_("Mobile number"), max_length=20, blank=True)
    display_name = models.CharField(_("Name"), max_length=80)
    language = models.CharField(
        _("Language"),
        max_length=10,
        blank=True,
        choices=[("zh-hans", "简体中文"), ("en", "English")],
    )
    is_staff = models.BooleanField(_("May use the administration pages"), default=False)
    is_active = models.BooleanField(_("Active"), default=True)
    created_at = models.DateTimeField(_("Registered at"), auto_now_add=True)

    objects = UserManager()

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS = ["display_name"]

    class Meta:
        verbose_name = _("User")
        verbose_name_plural = _("Users")
        constraints = [
            models.UniqueConstraint(Lower("email"), name="user_email_unique_lower"),
            models.UniqueConstraint(
                fields=["mobile"], condition=~models.Q(mobile=""), name="user_mobile_unique"
            ),
        ]

    def __str__(self) -> str:
        return self.display_name or self.email
