"""One command that runs the whole service: embedded servers, web, worker and beat."""

from config.supervision.errors import SupervisionError
from config.supervision.supervisor import Supervisor

__all__ = ["SupervisionError", "Supervisor"]
