"""One process, one writer of each store: the pages, the API beside them at /api, and the doorkeeper before both."""

from __future__ import annotations

from pathlib import Path

import streamlit as st
from starlette.middleware import Middleware
from starlette.routing import Mount
from streamlit.runtime.pages_manager import PagesManager

from planner.api import Doorkeeper, create, house
from planner.jobs import desk

# Until app.py has navigated once, Streamlit lists the files of a folder called pages by itself: who comes first by the
# address of a page would see that page without its frame, and without the door before it.
PagesManager.uses_pages_directory = False

rooms = house()
desk().expect()
app = st.App(
    Path(__file__).with_name("app.py"),
    routes=[Mount("/api", app=create(rooms))],
    middleware=[Middleware(Doorkeeper, access=rooms.access)],
)
