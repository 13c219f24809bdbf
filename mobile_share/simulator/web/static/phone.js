// The browser phone's script. Every page works without it, but for the camera and the notices.

const token = document.body.dataset.token;

// --- the PIN pad -------------------------------------------------------------------------------

for (const pad of document.querySelectorAll(".pad")) setUpPad(pad, pad.closest("form"));

function setUpPad(pad, form) {
  const fields = [...form.querySelectorAll("input.pin")];
  const typed = form.querySelector(".typed");
  let current = fields[0];
  pad.hidden = false;
  for (const field of fields) {
    field.addEventListener("focus", () => { current = field; });
    field.addEventListener("input", () => {
      field.value = field.value.replace(/\D/g, "");
      tell();
    });
  }
  pad.addEventListener("click", (event) => {
    const key = event.target.closest("button");
    if (!key) return;
    if ("erase" in key.dataset) current.value = current.value.slice(0, -1);
    else if (current.value.length < 5) current.value += key.dataset.digit;
    tell();
    const next = fields[fields.indexOf(current) + 1];
    if (current.value.length === 5 && next && !next.value) current = next;
  });
  function tell() {
    typed.textContent = typed.dataset.text.replace("{count}", current.value.length);
  }
  // Digits stay nowhere: not in a page that is left, nor in one that "back" brings again.
  const clear = () => { for (const field of fields) field.value = ""; };
  clear();
  addEventListener("pagehide", clear);
  addEventListener("pageshow", (event) => { if (event.persisted) clear(); });
}

// --- forms that take a while -------------------------------------------------------------------

for (const form of document.querySelectorAll("form[data-wait]")) {
  form.addEventListener("submit", () => {
    const says = document.createElement("p");
    says.setAttribute("role", "status");
    form.append(says);
    says.textContent = form.dataset.wait;
    // after the form's data is taken, so that the button's own value is sent
    setTimeout(() => { for (const one of form.querySelectorAll("button")) one.disabled = true; });
  });
}

// --- a wait after wrong PINs -------------------------------------------------------------------

for (const hold of document.querySelectorAll("[data-hold]")) {
  const end = Date.now() + 1000 * hold.dataset.hold;
  const timer = setInterval(() => {
    const left = Math.ceil((end - Date.now()) / 1000);
    if (left > 0 && left <= 60) {
      hold.setAttribute("aria-live", "off"); // not every second aloud
      hold.textContent = hold.dataset.text.replace("{time}", `${left}`);
    }
    if (left > 0) return;
    clearInterval(timer);
    hold.setAttribute("aria-live", "polite");
    hold.textContent = hold.dataset.over;
  }, 1000);
}

// --- notices of new requests -------------------------------------------------------------------

if (document.body.dataset.events) {
  const news = document.querySelector("#news");
  const events = new EventSource(document.body.dataset.events);
  events.addEventListener("request", (event) => {
    const id = JSON.parse(event.data).id;
    if (!/^[0-9a-f]{32}$/.test(id) || isKnown(id)) return;
    const open = document.createElement("a");
    open.href = `/requests/${id}`;
    open.textContent = news.dataset.open;
    news.replaceChildren(`${news.dataset.text}: `, open);
  });
  addEventListener("pagehide", () => events.close());
}

function isKnown(id) {
  const known = new Set(JSON.parse(sessionStorage.getItem("requests") ?? "[]"));
  for (const one of document.querySelectorAll("[data-request]")) known.add(one.dataset.request);
  const isOld = known.has(id);
  sessionStorage.setItem("requests", JSON.stringify([...known, id].slice(-100)));
  return isOld;
}

// --- the camera --------------------------------------------------------------------------------

const scanner = document.querySelector("#scanner");
if (scanner && navigator.mediaDevices) setUpScanner(scanner);

function setUpScanner(box) {
  const video = box.querySelector("video");
  const [start, stop] = box.querySelectorAll("button");
  const says = box.querySelector("[role=status]");
  const canvas = document.createElement("canvas");
  let stream = null;
  box.hidden = false;
  start.addEventListener("click", async () => {
    try {
      stream = await navigator.mediaDevices.getUserMedia({
        video: { facingMode: "environment", width: { ideal: 1280 } },
      });
    } catch {
      says.textContent = says.dataset.none;
      return;
    }
    video.srcObject = stream;
    await video.play();
    show(true);
    says.textContent = says.dataset.looking;
    look();
  });
  stop.addEventListener("click", end);
  addEventListener("pagehide", end);

  async function look() {
    while (stream) {
      const answer = await ask(await frame()).catch(() => null);
      if (answer === null) says.textContent = says.dataset.away;
      else if (answer.to) {
        end();
        location.assign(answer.to);
        return;
      } else if (answer.refused) says.textContent = answer.refused;
      await new Promise((done) => setTimeout(done, 250));
    }
  }
  function frame() {
    const scale = Math.min(1, 960 / Math.max(video.videoWidth, video.videoHeight, 1));
    canvas.width = Math.max(1, video.videoWidth * scale);
    canvas.height = Math.max(1, video.videoHeight * scale);
    canvas.getContext("2d").drawImage(video, 0, 0, canvas.width, canvas.height);
    return new Promise((done) => canvas.toBlob(done, "image/jpeg", 0.85));
  }
  async function ask(picture) {
    const answer = await fetch("/scan/frame", {
      method: "POST", body: picture, headers: { "X-Token": token },
    });
    if (!answer.ok) throw new Error(answer.status);
    return answer.json();
  }
  function end() {
    for (const track of stream?.getTracks() ?? []) track.stop();
    stream = null;
    show(false);
  }
  function show(isOn) {
    video.hidden = !isOn;
    stop.hidden = !isOn;
    start.hidden = isOn;
  }
}
