// Shows new mail without a reload of the page: asks every second and a half, and only while somebody looks.
const mails = document.getElementById("mails");

async function refresh() {
  if (document.hidden) return;
  const reply = await fetch("/", { cache: "no-store" });
  if (!reply.ok) return;
  const page = new DOMParser().parseFromString(await reply.text(), "text/html");
  const current = page.getElementById("mails");
  if (current && current.innerHTML !== mails.innerHTML) mails.replaceChildren(...current.childNodes);
}

// The mailbox may be restarting: the next attempt will tell.
setInterval(() => refresh().catch(() => {}), 1500);
document.addEventListener("visibilitychange", () => refresh().catch(() => {}));
