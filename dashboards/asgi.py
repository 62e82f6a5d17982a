"""One process, one writer of each store: the pages, the API beside them at /api, and the doorkeeper before both."""

from __future__ import annotations

from pathlib import Path

import streamlit as st
from starlette.middleware import Middleware
from starlette.routing import Mount

from planner.api import Doorkeeper, create, house

rooms = house()
app = st.App(
    Path(__file__).with_name("app.py"),
    routes=[Mount("/api", app=create(rooms))],
    middleware=[Middleware(Doorkeeper, access=rooms.access)],
)
