"""The door of the pages: who is it? Nobody is asked on loopback, where no tokens and no login are configured."""

from __future__ import annotations

import streamlit as st

import data

__all__ = ["admit"]


def admit() -> None:
    """Goes on where it is known who is there; else draws the way in and ends the page."""
    if data.person() is not None:
        return
    st.title("planner")
    st.write("Recordings and studies belong to whoever sends and asks: say who you are.")
    if data.access().login:
        st.button("Sign in", on_click=st.login, type="primary")
    if data.access().tokens:
        _ask_token()
    st.stop()


def _ask_token() -> None:
    with st.form("token"):
        token = st.text_input("Token", type="password", help="The one the API takes; planner token makes it.")
        sent = st.form_submit_button("Come in")
    if sent and data.sign_in(token):
        st.rerun()
    if sent:
        st.error("This token is not known here.")
