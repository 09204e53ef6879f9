/* What a page can do beside being read: times that stay right, and being up to date. Everything
   that it shows comes from the server as HTML; without this file nothing is missing but that. */
"use strict";
(() => {
  const EVENTS = "/api/v1/events", POLL = 5000, AGAIN = 60000, SILENCE = 60000, CALM = 400;
  const bar = document.getElementById("live");
  const said = document.getElementById("live-said");
  const button = document.getElementById("live-pause");
  const kinds = document.getElementById("times");
  const words = bar.dataset;
  let seq = words.after, fails = 0, heard = Date.now(), etag = null, said_last = "";
  let source = null, timer = null, soon = null, paused = recall("paused") === "yes";

  function recall(name) {
    try { return localStorage.getItem(name); } catch { return null; }
  }
  function remember(name, value) {
    try { localStorage.setItem(name, value); } catch { /* private windows */ }
  }

  /* times */

  const local = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });
  const named = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "long" });

  function span(seconds) {
    if (seconds < 120) return `${Math.floor(seconds)} s`;
    const minutes = Math.round(seconds / 60);
    if (minutes < 120) return `${minutes} min`;
    const rest = minutes % 60 ? ` ${minutes % 60} min` : "";
    if (minutes < 2880) return `${Math.floor(minutes / 60)} h${rest}`;
    return `${Math.floor(minutes / 1440)} days`;
  }
  function ago(moment, now, since) {
    const told = span(Math.abs(now - moment) / 1000);
    return moment > now ? `in ${told}` : since ? `for ${told}` : `${told} ago`;
  }
  function tell_times() {
    const kind = kinds.value, now = Date.now();
    for (const time of document.querySelectorAll("time[datetime]")) {
      const moment = new Date(time.dateTime);
      if (Number.isNaN(moment.getTime())) continue;
      const utc = time.dateTime.slice(0, 19).replace("T", " ") + " UTC";
      const since = "since" in time.dataset;
      const fixed = kind === "utc" ? utc : kind === "local" ? local.format(moment) : null;
      const text = fixed === null ? ago(moment, now, since) : since ? `since ${fixed}` : fixed;
      const title = `${utc} · ${named.format(moment)} · ${ago(moment, now)}`;
      if (time.textContent !== text) time.textContent = text;
      if (time.title !== title) time.title = title;
    }
  }

  /* being up to date */

  function show(state, text) {
    bar.className = `live ${state}`;
    if (said.textContent !== text) said.textContent = text;
  }
  function tell_state() {
    const silent = Date.now() - heard;
    if (paused) show("paused", words.paused);
    else if (silent > SILENCE) show("stale", words.stale.replace("{ago}", ago(heard, Date.now())));
    else if (source) show("on", said_last || words.on);
    else show("polls", said_last || words.polls);
    button.textContent = paused ? words.go : words.stop;
  }
  async function look() {
    const asked = { cache: "no-store", headers: etag ? { "if-none-match": etag } : {} };
    try {
      const answer = await fetch(location.href, asked);
      if (answer.redirected) location.reload(); // to sign in anew
      if (answer.redirected || (answer.status !== 304 && !answer.ok)) return;
      heard = Date.now();
      if (answer.status === 304) return;
      etag = answer.headers.get("etag");
      if (paused) return;
      await htmx.swap({
        text: await answer.text(), select: "main", target: "main", swap: "outerMorph",
        sourceElement: document.body,
      });
    } catch {
      return; // nobody answered: the page says how old it is
    } finally {
      tell_times();
      tell_state();
    }
  }
  function look_soon() {
    clearTimeout(soon);
    soon = setTimeout(look, CALM);
  }
  function concerns(told) {
    return !words.release || String(told.release) === words.release;
  }
  function listen() {
    hang_up();
    source = new EventSource(`${EVENTS}?after=${encodeURIComponent(seq)}`);
    source.onopen = () => { fails = 0; heard = Date.now(); tell_state(); };
    source.addEventListener("beat", look); // not all that is shown is on the record
    source.addEventListener("line", (event) => {
      heard = Date.now();
      seq = event.lastEventId || seq;
      const told = JSON.parse(event.data);
      if (!concerns(told)) return;
      said_last = told.said;
      look_soon();
    });
    source.onerror = () => {
      fails += 1;
      if (fails < 2 && source.readyState !== EventSource.CLOSED) return;
      poll();
      soon = setTimeout(begin, AGAIN);
      look();
    };
  }
  function hang_up() {
    if (source) source.close();
    source = null;
    clearInterval(timer);
    clearTimeout(soon);
  }
  function poll() {
    hang_up();
    timer = setInterval(look, POLL);
  }
  function begin() {
    if (paused || document.hidden) hang_up();
    else if (words.live === "polls") poll();
    else listen();
    tell_state();
  }
  function begin_again() {
    begin();
    if (!paused && !document.hidden) look();
  }

  button.addEventListener("click", () => {
    paused = !paused;
    remember("paused", paused ? "yes" : "no");
    begin_again();
  });
  kinds.addEventListener("change", () => { remember("times", kinds.value); tell_times(); });
  // A browser opens six connections to one host: a page that nobody sees shall not hold one.
  document.addEventListener("visibilitychange", begin_again);
  window.addEventListener("pagehide", hang_up);
  window.addEventListener("pageshow", (event) => { if (event.persisted) begin_again(); });

  kinds.value = recall("times") || "ago";
  if (kinds.selectedIndex < 0) kinds.value = "ago";
  bar.hidden = false;
  tell_times();
  setInterval(() => { tell_times(); tell_state(); }, 5000);
  if (words.live !== "no") begin();
  else { button.hidden = true; said.textContent = ""; }
})();
