"""What is said of who may see and do what: at the door, on the buttons, to whoever starts it."""

PEOPLE: dict[str, str] = {
    # at the door
    "sign_in_first": "Sign in to see this.",
    "wrong_token": "This token is not one of ours.",
    "foreign_host": "Without sign-in the pages are for this machine only, at http://127.0.0.1 or "
    "http://localhost; you asked {host}. To let others in, set up sign-in: docs/sign_in.md",
    "came_by_proxy": "Without sign-in the pages are for this machine only, and a proxy brought "
    "this. To let others in, set up sign-in: docs/sign_in.md",
    "unnamed_by_proxy": "The proxy did not say who you are. Sign in there first.",
    "cross_site": "This did not come from one of our own pages, so nothing was done. Go back, load "
    "the page again and repeat it. A program sends its token: Authorization: Bearer …",
    "viewers_only_look": "{name} may look, but not act: that takes an operator.",
    "form_too_slow": "The form took too long to come. Send it again.",
    "too_many_tries": "Too many tokens that are none of ours. Try again in {seconds} s.",
    # signing in
    "not_begun_here": "This sign-in was not begun here, or too long ago. Begin again.",
    "github_said_no": "GitHub did not let you in ({why}). Begin again.",
    "github_away": "GitHub cannot be asked who you are just now ({why}). Try again.",
    "not_a_member": "{login} is not an active member of {organization}, or the bridge's "
    "application may not see it. Ask an owner of the organization.",
    "no_team": "{login} is in none of the teams of {organization} that may look: {teams}.",
    "signed_out": "{who} signed out.",
    # before it starts
    "open_to_all": "The pages could be reached from beyond this machine without signing in. Set "
    "BRIDGE_WEB__OPERATOR_TOKENS__NAME, web.github or web.proxy, or `pages = false` under [web] to "
    "serve webhooks only: docs/sign_in.md",
    "sign_in_in_clear": "Whoever signs in could be overheard: public_url does not begin with "
    "https://",
    "no_pages": "No pages: only webhooks, /livez and /readyz are served.",
    "this_machine_only": "Pages: for this machine only. Nobody signs in, and whoever sits here may "
    "act.",
    "token_lets_in": "Pages: by token, {look} may look, {act} may act.",
    "github_lets_in": "Pages: by GitHub, {look} in {organization} may look, of the teams {act} may "
    "act.",
    "proxy_lets_in": "Pages: whom the proxy at {at} names in {header} may look, {act} may act.",
    # acts
    "act_retry": "It goes its way again from its announcement, in every pipeline where it ended "
    "without arriving. What you allow counts for this version only.",
    "act_rollback": "The version verified before is put back in every pipeline where this one "
    "serves, whatever the policy says; this one goes into quarantine.",
    "act_quarantine": "It is not proposed, merged or built until this ends or is lifted. What "
    "serves goes on serving.",
    "act_lift": "It goes on where it waits; if it has ended, it may be tried again.",
    "act_pause": "Nothing is proposed, merged or built until somebody resumes. What comes is kept, "
    "and a build under way is watched to its end.",
    "act_resume": "What waited goes on.",
    "act_replay": "It is handled again, as if it had just come.",
    "act_discard": "It is put aside for good; its row stays.",
    "no_release_here": "There is no release {id}.",
    "not_acted": "Nothing was done: {field}: {problem}.",
    "not_asked": "Nothing was done: {act} asks for less than was said.",
}
