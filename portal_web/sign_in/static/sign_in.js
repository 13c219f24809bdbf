// A waiting page: draws the code that the server sends each second, shows the number once a phone
// has opened it, tells the time that is left, and moves on. Without it the page still works.
"use strict";

(() => {
  const wait = document.getElementById("wait");
  if (!wait) return;
  const by = (id) => document.getElementById(id);
  const told = wait.dataset;
  const QUIET = 4; // modules of white around the code
  const AWAY_MS = 4000; // without a code for so long, the one on screen is worthless
  const ends = Date.now() + Number(told.left) * 1000;
  let silence = 0;
  let isAway = false;
  let isOver = false;

  const say = (text) => { by("say").textContent = text; };

  function draw(packed) {
    const canvas = by("code");
    const size = Number(told.size);
    const side = size + 2 * QUIET;
    const bytes = Uint8Array.from(atob(packed), (one) => one.charCodeAt(0));
    const spare = bytes.length * 8 - size * size;
    const image = new ImageData(side, side);
    image.data.fill(255);
    for (let at = 0; at < size * size; at += 1) {
      const bit = at + spare;
      if (!((bytes[bit >> 3] >> (7 - (bit & 7))) & 1)) continue;
      const pixel = (Math.floor(at / size) + QUIET) * side + (at % size) + QUIET;
      image.data.fill(0, pixel * 4, pixel * 4 + 3);
    }
    if (canvas.width !== side) { canvas.width = side; canvas.height = side; }
    canvas.getContext("2d").putImageData(image, 0, 0);
    canvas.hidden = false;
  }

  function setAway(away) {
    if (away === isAway || isOver) return;
    isAway = away;
    by("away").hidden = !away;
    by("code")?.parentElement.classList.toggle("stale", away);
    say(away ? told.sayAway : told.sayBack);
  }

  function heard(expected) {
    setAway(false);
    clearTimeout(silence);
    if (expected) silence = setTimeout(() => setAway(true), AWAY_MS);
  }

  function show(state) {
    heard(state.status === "open" && Number(told.size) > 0);
    if (state.status === "open" || state.status === "shown") {
      for (const part of wait.querySelectorAll("[data-of]")) part.hidden = part.dataset.of !== state.status;
      by("number").textContent = state.number;
      if (state.status !== told.status && state.status === "shown") {
        say(`${told.sayShown} ${[...state.number].join(" ")}`);
        wait.scrollIntoView({ block: "nearest" });
      }
      told.status = state.status;
      return;
    }
    leave(state.status === "approved" && told.done ? told.done : told.here);
  }

  function leave(address) {
    if (isOver) return;
    isOver = true;
    clearTimeout(silence);
    location.replace(address);
  }

  function listen() {
    const source = new EventSource(`${told.here}/events`);
    source.addEventListener("code", (event) => { heard(true); draw(event.data); });
    source.addEventListener("state", (event) => {
      const state = JSON.parse(event.data);
      if (!["open", "shown"].includes(state.status)) source.close();
      show(state);
    });
    source.addEventListener("away", () => { clearTimeout(silence); setAway(true); });
    source.addEventListener("gone", () => { source.close(); leave(told.here); });
    source.onerror = () => {
      setAway(true);
      if (source.readyState === EventSource.CLOSED) setTimeout(listen, 3000 + Math.random() * 4000);
    };
  }

  function count() {
    const left = Math.max(0, Math.round((ends - Date.now()) / 1000));
    by("clock").textContent = `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}`;
    if ([60, 30, 10].includes(left)) say(told.sayLeft.replace("{seconds}", left));
    // The server tells the end; should it not, the page looks for itself.
    if (left === 0 && Date.now() - ends > 3000) leave(told.here);
  }

  by("left").hidden = false;
  count();
  setInterval(count, 1000);
  listen();
  // A page that comes back from the browser's memory is of long ago.
  addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });
})();
