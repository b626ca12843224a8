"use strict";
// All pages work without this file. It adds: the reader's own times, copying, upload progress, and states that move.

const told = document.getElementById("told");

function localTimes(root) {
  const day = new Intl.DateTimeFormat(undefined, { dateStyle: "medium" });
  const clock = new Intl.DateTimeFormat(undefined, { hour: "numeric", minute: "2-digit", timeZoneName: "short" });
  const utc = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short", timeZone: "UTC" });
  for (const time of root.querySelectorAll("time[datetime]")) {
    const at = new Date(time.dateTime);
    time.title = `${utc.format(at)} UTC`;
    // A line may end between the two alone.
    time.textContent = `${day.format(at).replaceAll(" ", "\u00a0")}, ${clock.format(at).replaceAll(" ", "\u00a0")}`;
  }
}

function copyButtons() {
  for (const button of document.querySelectorAll("button[data-copy]")) {
    const field = document.getElementById(button.dataset.copy);
    button.hidden = false;
    button.addEventListener("click", async () => {
      field.select();
      try {
        await navigator.clipboard.writeText(field.value);
      } catch {
        document.execCommand("copy"); // the newer way needs HTTPS
      }
      button.textContent = "Copied";
    });
  }
}

function invitation() {
  const field = document.getElementById("invitation");
  if (!field || location.hash.length < 2) return;
  field.value = decodeURIComponent(location.hash.slice(1));
  history.replaceState(null, "", location.pathname); // the code stays out of the history
}

function upload() {
  const form = document.getElementById("upload");
  if (!form) return;
  const input = document.getElementById("file");
  const drop = document.getElementById("drop");
  const bar = document.getElementById("progress");
  const text = document.getElementById("progress-text");
  const button = form.querySelector("button");
  form.querySelector(".scripted").hidden = false;

  for (const name of ["dragenter", "dragover"]) drop.addEventListener(name, (event) => { event.preventDefault(); drop.classList.add("over"); });
  for (const name of ["dragleave", "drop"]) drop.addEventListener(name, () => drop.classList.remove("over"));
  drop.addEventListener("drop", (event) => {
    event.preventDefault();
    if (event.dataTransfer.files.length !== 1) { text.textContent = "One file at a time."; return; }
    input.files = event.dataTransfer.files;
    text.textContent = `${input.files[0].name} is chosen. Send it.`;
    button.focus();
  });

  function ready() {
    button.disabled = false;
    bar.hidden = true;
  }

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const most = Number(form.dataset.most);
    if (input.files[0].size > most * 1e6) {
      text.textContent = `The file has more than ${most} MB: send id and score alone, or compress it to .csv.gz.`;
      return;
    }
    const request = new XMLHttpRequest();
    let quarter = 0;
    request.open("POST", form.action);
    request.setRequestHeader("Accept", "text/html");
    request.responseType = "document";
    request.upload.addEventListener("progress", ({ loaded, total }) => {
      const percent = Math.floor((100 * loaded) / total);
      bar.value = percent;
      if (Math.floor(percent / 25) > quarter) { // a screen reader is told four times, not a hundred
        quarter = Math.floor(percent / 25);
        text.textContent = percent < 100 ? `${percent} % sent` : "All sent; it is being checked.";
      }
    });
    request.addEventListener("load", () => {
      ready();
      if (request.status < 400 && new URL(request.responseURL).pathname !== "/submit") {
        // The message that the next page would tell was told to this script.
        sessionStorage.setItem("told", request.response?.getElementById("told")?.textContent ?? "");
        location.assign(request.responseURL);
        return;
      }
      const found = request.response?.getElementById("refusal");
      text.textContent = found ? "" : "The server gave no answer that can be shown. Try again.";
      if (!found) return;
      document.getElementById("report").replaceChildren(document.adoptNode(found));
      const quota = request.response.getElementById("quota");
      if (quota) {
        document.getElementById("quota").replaceWith(document.adoptNode(quota));
        localTimes(document.getElementById("quota"));
      }
      document.getElementById("refusal").focus();
    });
    request.addEventListener("error", () => {
      ready();
      text.textContent = "The connection broke. Nothing was counted; send the file again.";
    });
    button.disabled = true;
    bar.hidden = false;
    bar.value = 0;
    text.textContent = "Sending …";
    request.send(new FormData(form));
  });
}

function outcome(each) {
  const is = `Submission ${each.id} is ${each.state}`;
  if (each.state !== "scored") return `${is}.`;
  if (each.shown_of === null) return `${is}: not better than chance.`;
  if (each.shown_of === each.id) return `${is}: ${each.public_score}.`;
  return `${is}, and not better by more than chance: your score stays ${each.public_score}, that of submission ${each.shown_of}.`;
}

// While something waits to be scored: ask how it stands, and where that has changed, show the list anew.
function watch() {
  const list = document.getElementById("submissions");
  if (!list || list.dataset.waiting === "0") return;
  let pause = 1000;
  async function look() {
    try {
      const answer = await fetch("/api/submissions");
      if (!answer.ok) throw new Error(answer.status);
      const found = await answer.json();
      const moved = found.filter((each) => {
        const row = document.querySelector(`[data-submission="${each.id}"]`);
        return row?.dataset.state !== each.state || row.hasAttribute("data-paused") !== each.paused;
      });
      if (moved.length) {
        const page = new DOMParser().parseFromString(await (await fetch(location.pathname)).text(), "text/html");
        const focused = document.activeElement?.id;
        const shown = document.getElementById("submissions");
        shown.replaceWith(document.adoptNode(page.getElementById("submissions")));
        localTimes(document.getElementById("submissions"));
        if (focused) document.getElementById(focused)?.focus();
        told.textContent = moved.map((each) => outcome(each)).join(" ");
        pause = 1000;
      }
      if (!found.some((each) => each.state === "queued" || each.state === "running")) return;
    } catch {
      // The server may be starting again; ask later.
    }
    pause = Math.min(pause * 1.3, 10000);
    setTimeout(look, pause);
  }
  setTimeout(look, pause);
}

if (sessionStorage.getItem("told")) {
  told.textContent = sessionStorage.getItem("told");
  sessionStorage.removeItem("told");
}
localTimes(document);
document.getElementById("zone").textContent = `times in ${Intl.DateTimeFormat().resolvedOptions().timeZone}`;
copyButtons();
invitation();
upload();
watch();
