"""The door of the pages: who is it? Nobody is asked on loopback, where no tokens and no login are configured."""

from __future__ import annotations

import streamlit as st

import data
from words import inert

__all__ = ["admit", "let_out"]


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


def let_out() -> None:
    """Tells who is here, and the way out; nothing where nobody is asked."""
    who = data.person()
    if who:
        st.sidebar.caption(f"Signed in as {inert(who)}")
        st.sidebar.button("Sign out", on_click=_forget)


def _forget() -> None:
    st.session_state.clear()
    if st.user.get("is_logged_in"):
        st.logout()
