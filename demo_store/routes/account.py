"""The routes to sign up, log in and log out, and the page of the account."""

from __future__ import annotations

from typing import Any

from litestar import Response, get, post
from litestar.params import FromQuery
from litestar.response import Redirect, Template

from demo_store.account import PLANS, Account, is_email
from demo_store.data_layer import account_event
from demo_store.forms import AccountForm, Submitted
from demo_store.structured_data import web_page
from demo_store.visit import CurrentVisit, Visit

_EMAIL_MISTAKE = "Please give an e-mail address such as name@example.com."


@get("/sign-up", sync_to_thread=False)
def show_sign_up(visit: CurrentVisit, plan: FromQuery[str] = "") -> Template:
    """Show the form to sign up."""
    return _form_page(visit, "sign_up", AccountForm(plan=plan if plan in PLANS else ""), {})


@post("/sign-up", sync_to_thread=False)
def sign_up(visit: CurrentVisit, data: Submitted[AccountForm]) -> Response[Any]:
    """Open an account and log its holder in."""
    mistakes = {} if is_email(data.email.strip()) else {"email": _EMAIL_MISTAKE}
    if not data.first_name.strip():
        mistakes["first_name"] = "Please tell us what to call you."
    if mistakes:
        return _form_page(visit, "sign_up", data, mistakes)
    account = Account(data.email.strip(), data.first_name.strip(), data.plan if data.plan in PLANS else "")
    visit.shop.accounts.open(account)
    return _welcome(visit, account, "sign_up")


@get("/log-in", sync_to_thread=False)
def show_log_in(visit: CurrentVisit) -> Template:
    """Show the form to log in."""
    return _form_page(visit, "log_in", AccountForm(), {})


@post("/log-in", sync_to_thread=False)
def log_in(visit: CurrentVisit, data: Submitted[AccountForm]) -> Response[Any]:
    """Log a visitor in by the address alone; the demo shop has nothing to protect."""
    account = visit.shop.accounts.find(data.email)
    if account is None:
        mistake = "We know no account with this address. Check it, or sign up instead."
        return _form_page(visit, "log_in", data, {"email": mistake if is_email(data.email.strip()) else _EMAIL_MISTAKE})
    return _welcome(visit, account, "login")


@post("/log-out", sync_to_thread=False)
def log_out(visit: CurrentVisit) -> Redirect:
    """Log the visitor out; the cart is kept."""
    visit.session.account = None
    visit.announce(notice="You are logged out.")
    visit.announce_departure()
    return visit.redirect("/")


@get("/account", sync_to_thread=False)
def show_account(visit: CurrentVisit) -> Response[Any]:
    """Show the account and the orders of this session."""
    if visit.session.account is None:
        return visit.redirect("/log-in")
    return visit.page(
        "account.html",
        "Your account",
        trail=[("Account", "/account")],
        structured=[web_page(visit.origin, "/account", "Your account")],
        account=visit.session.account,
        orders=list(reversed(visit.session.orders.values())),
        plans=PLANS,
    )


def _form_page(visit: Visit, kind: str, form: AccountForm, mistakes: dict[str, str]) -> Template:
    title, path = ("Sign up", "/sign-up") if kind == "sign_up" else ("Log in", "/log-in")
    return visit.page(
        f"{kind}.html",
        title,
        trail=[(title, path)],
        structured=[web_page(visit.origin, path, title)],
        status_code=422 if mistakes else 200,
        form=form,
        mistakes=mistakes,
        plan=PLANS.get(form.plan),
    )


def _welcome(visit: Visit, account: Account, event: str) -> Redirect:
    visit.session.account = account
    notice = (
        f"Welcome, {account.first_name}!" if event == "sign_up" else f"Good to see you again, {account.first_name}."
    )
    visit.announce(account_event(event, "email"), notice=notice, identity=account)
    return visit.redirect("/account")
