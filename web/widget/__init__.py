"""The widget."""
from flask import Blueprint
blueprint = Blueprint("widget", __name__)
