"""Run the formation as dynos of a Heroku app."""

from autoscaler.act.heroku.plugin import Heroku

__all__ = ["Heroku"]
