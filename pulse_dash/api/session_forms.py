"""The dashboard's own forms: sign up, sign in, sign out. They alone set the session cookie, for our own pages."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from urllib.parse import parse_qs, quote, urlencode

from fastapi import APIRouter, Request
from starlette.background import BackgroundTask
from starlette.requests import ClientDisconnect
from starlette.responses import RedirectResponse, Response

from pulse_dash.api.principals import call_of, client_ip, headers_of
from pulse_dash.api.problems import refusal, request_id
from pulse_dash.core import accounts, challenges, joining, links, sessions
from pulse_dash.core.access import Anonymous, UserActor
from pulse_dash.core.accounts import EmailTaken, SignedIn, SignupClosed
from pulse_dash.core.challenges import ChallengeOver, SecondFactorRequired, WrongCode
from pulse_dash.core.errors import FieldError, Invalid, PulseError, RateLimited, SignedOut, Unauthenticated, Unavailable
from pulse_dash.core.invitations import InvitationSpent, Unverified
from pulse_dash.core.joining import OtherAddress, SignInToAccept
from pulse_dash.core.links import LinkSpent
from pulse_dash.core.mail_addresses import address
from pulse_dash.core.networks import network_of
from pulse_dash.core.work import Work
from pulse_dash.services import Services
from pulse_dash.settings import Settings

router = APIRouter(prefix="/session", include_in_schema=False)

_LARGEST_FORM = 16 * 1024
_CODE_PAGE = "/second-factor"
_KEPT = ("email", "name", "organization_name", "next", "token")
_CODES: tuple[tuple[type[PulseError], str], ...] = (
    (EmailTaken, "email_taken"),
    (LinkSpent, "link_spent"),
    (InvitationSpent, "invitation_spent"),
    (SignInToAccept, "sign_in_to_accept"),
    (OtherAddress, "other_address"),
    (Unverified, "address_unverified"),
    (SignupClosed, "signup_closed"),
    (ChallengeOver, "challenge_over"),
    (WrongCode, "wrong_code"),
    (Unauthenticated, "wrong_credentials"),
    (RateLimited, "rate_limited"),
    (Unavailable, "unavailable"),
    (Invalid, "invalid"),
)


@router.post("/login")
async def log_in(request: Request) -> Response:
    return await _enter(request, "/login")


@router.post("/second-factor")
async def second_factor(request: Request) -> Response:
    """The code after the password; who began too long ago begins again."""
    return await _enter(request, _CODE_PAGE)


@router.post("/signup")
async def sign_up(request: Request) -> Response:
    return await _enter(request, "/signup")


@router.post("/accept")
async def accept(request: Request) -> Response:
    """Join by an invitation: as who is signed in, or with a new account."""
    return await _enter(request, "/invitations/accept")


@router.post("/forgot")
async def forgot(request: Request) -> Response:
    """The same answer for every address, and only then is it looked for."""

    async def ask(work: Work, form: Mapping[str, str]) -> Response:
        task = BackgroundTask(links.forgot, work, address(form.get("email", "")))
        return RedirectResponse("/forgot?done=sent", 303, background=task)

    return await _answered(request, "/forgot", ask)


@router.post("/reset")
async def reset(request: Request) -> Response:
    """A new password; the person then signs in with it."""

    async def choose(work: Work, form: Mapping[str, str]) -> Response:
        await links.reset(work, form.get("token", ""), form.get("password", ""))
        return RedirectResponse("/login?done=reset", 303)

    return await _answered(request, "/reset", choose)


@router.post("/verify")
async def verify(request: Request) -> Response:
    """The address is proved by a button, not by the visit: programs that look at mails follow links."""

    async def prove(work: Work, form: Mapping[str, str]) -> Response:
        await links.verify(work, form.get("token", ""))
        return RedirectResponse("/verify?done=verified", 303)

    return await _answered(request, "/verify", prove)


@router.post("/end")
async def end(request: Request) -> Response:
    services: Services = request.app.state.services
    if not from_our_page(request, services.settings):
        return from_elsewhere(request)
    await _end_current(_work(request, services), services.settings, request)
    answer = RedirectResponse("/login", 303)
    answer.delete_cookie(services.settings.cookie_name, path="/", secure=services.settings.https, httponly=True)
    return answer


async def _answered(
    request: Request, page: str, answer: Callable[[Work, Mapping[str, str]], Awaitable[Response]]
) -> Response:
    """What a form of a page is answered; a refusal leads back to it and says why."""
    services: Services = request.app.state.services
    if not from_our_page(request, services.settings):
        return from_elsewhere(request)
    form: dict[str, str] = {}
    work = _work(request, services)
    try:
        form = await form_of(request)
        _count(work, client_ip(request.scope, services.settings))
        return await answer(work, form)
    except PulseError as error:
        return RedirectResponse(_again(page, form, error), 303)


async def _enter(request: Request, page: str) -> Response:
    """Sign in or up, and answer with the cookie or with the form again, saying why."""
    services: Services = request.app.state.services
    settings = services.settings
    if not from_our_page(request, settings):
        return from_elsewhere(request)
    form: dict[str, str] = {}
    work = _work(request, services)
    try:
        form = await form_of(request)
        _count(work, client_ip(request.scope, settings))
        if page == "/invitations/accept":
            work = work.acting_as(await visitor(work, settings, request))
        signed_in = await _entered(work, page, form, _challenge(request, settings))
    except SecondFactorRequired as asked:
        return _ask_for_code(settings, form, asked)
    except PulseError as error:
        return RedirectResponse(_again("/login" if isinstance(error, ChallengeOver) else page, form, error), 303)
    await _end_current(work, settings, request)
    answer = RedirectResponse(own_path(form.get("next", "")), 303)
    if signed_in.started is not None:
        answer.set_cookie(
            settings.cookie_name,
            signed_in.started.secret.reveal(),
            max_age=int(sessions.SESSION_LIFE.total_seconds()),
            path="/",
            secure=settings.https,
            httponly=True,
            samesite="lax",
        )
    if page == _CODE_PAGE:
        answer.delete_cookie(settings.challenge_cookie_name, path="/", secure=settings.https, httponly=True)
    return answer


def _ask_for_code(settings: Settings, form: Mapping[str, str], asked: SecondFactorRequired) -> Response:
    """To the page that takes the code; the challenge goes beside it, where no script and no history sees it."""
    to = own_path(form.get("next", ""))
    answer = RedirectResponse(f"{_CODE_PAGE}?{urlencode({'next': to})}" if to != "/" else _CODE_PAGE, 303)
    answer.set_cookie(
        settings.challenge_cookie_name,
        asked.challenge.reveal(),
        max_age=int(challenges.LIFE.total_seconds()),
        path="/",
        secure=settings.https,
        httponly=True,
        samesite="strict",
    )
    return answer


def _challenge(request: Request, settings: Settings) -> str:
    return cookie_of(headers_of(request.scope).get(b"cookie", b""), settings.challenge_cookie_name) or ""


async def _entered(work: Work, page: str, form: Mapping[str, str], challenge: str) -> SignedIn:
    email, password = form.get("email", ""), form.get("password", "")
    if page == _CODE_PAGE:
        return await accounts.log_in_with_code(
            work, challenge=challenge, code=form.get("code", ""), kind=sessions.DASHBOARD
        )
    if page == "/login":
        return await accounts.log_in(work, email=email, password=password, kind=sessions.DASHBOARD)
    if page == "/invitations/accept":
        name = form.get("name", "")
        return await joining.accept(work, form.get("token", ""), name=name, password=password, kind=sessions.DASHBOARD)
    return await accounts.sign_up(
        work,
        email=email,
        password=password,
        name=form.get("name", ""),
        organization_name=form.get("organization_name", ""),
        kind=sessions.DASHBOARD,
    )


async def visitor(work: Work, settings: Settings, request: Request) -> Anonymous | UserActor:
    """Whose session the browser brings, if any."""
    cookie = cookie_of(headers_of(request.scope).get(b"cookie", b""), settings.cookie_name)
    try:
        return (await sessions.resume(work, cookie)).actor if cookie else Anonymous()
    except SignedOut:
        return Anonymous()


async def _end_current(work: Work, settings: Settings, request: Request) -> None:
    """End the session that the browser brought, if it is a live one."""
    person = await visitor(work, settings, request)
    if isinstance(person, UserActor):
        await sessions.end(work.acting_as(person))


def cookie_of(header: bytes, name: str) -> str | None:
    """One cookie's value from a Cookie header. Two of one name are a sign of another hand, and neither is believed.

    Read by hand: Python's own parser gives up at the first cookie that it dislikes, and other programs on this host
    may have set it. Only HTTP's own blanks are cut: with all that Python takes for one, a neighbour's subdomain could
    set a cookie named no-break space and `__Host-…`, which browsers do not hold to the prefix."""
    pairs = (part.strip(" \t").partition("=") for part in header.decode("latin-1").split(";"))
    values = [value for key, _, value in pairs if key == name]
    return values[0] if len(values) == 1 and values[0] else None


def own_path(wanted: str) -> str:
    """Where to go after signing in: a path of ours, never another site."""
    ours = wanted.startswith("/") and not wanted.startswith("//") and "\\" not in wanted and wanted.isprintable()
    return quote(wanted, safe="/?=&%-._~:@!$'()*+,;") if ours else "/"


def from_our_page(request: Request, settings: Settings) -> bool:
    """Whether a page of ours sent the form: browsers say so, older ones by Origin alone."""
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site == "same-origin"
    return request.headers.get("origin") == settings.public_url


def from_elsewhere(request: Request) -> Response:
    return refusal(403, "cross_site", "This form is only taken from Pulse's own pages.", request_id(request.scope))


def _work(request: Request, services: Services) -> Work:
    return services.as_(Anonymous(), call_of(request.scope, services.settings, headers_of(request.scope)))


def _count(work: Work, ip: str) -> None:
    allowance = work.parts.rates.hit("ip", network_of(ip), work.parts.policy.ip_per_minute)
    if not allowance.allowed:
        raise RateLimited(allowance.reset)


async def form_of(request: Request) -> dict[str, str]:
    """The fields of a form, each once; what is larger than any form of ours is cut."""
    body = b""
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > _LARGEST_FORM:
                break
    except ClientDisconnect:
        # Half a form is none, and nobody is left to be answered.
        raise Invalid(FieldError("", "The form broke off.")) from None
    fields = parse_qs(body[:_LARGEST_FORM].decode("utf-8", "replace"), max_num_fields=None)
    return {name: values[0] for name, values in fields.items()}


def _again(page: str, form: Mapping[str, str], error: PulseError) -> str:
    code = next((code for kind, code in _CODES if isinstance(error, kind)), "unavailable")
    said = {name: form[name][:254] for name in _KEPT if form.get(name)}
    if isinstance(error, Invalid):
        said["fields"] = ",".join(wrong.field for wrong in error.errors)
    return f"{page}?{urlencode({'error': code, **said})}"
